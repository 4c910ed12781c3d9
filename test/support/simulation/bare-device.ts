import type { CallSnapshot } from "../../../schema/call.ts";
import { HANDOFF_MS } from "../../../schema/limits.ts";
import type { ServerMessage, ServerMessageOf } from "../../../schema/server-messages.ts";
import { BareCall, type Belief } from "./bare-call.ts";
import { DeviceLine } from "./device-line.ts";
import type { Radio } from "./network.ts";
import type { Person, World } from "./world.ts";

/** From the answer to media, and from the answer to an offer to take over. */
const MEDIA_MS = 400;
/** A client is a little more patient than the server. */
const MARGIN_MS = 1_000;

/** What a user does with a device. */
export type Press =
  | { readonly type: "call"; readonly calleeIds: readonly string[]; readonly callType: "video" | "group" }
  | { readonly type: "answer" | "decline" | "ignore" | "busy" | "hangUp" | "hold" | "unhold" | "takeOver" | "join" }
  | { readonly type: "invite"; readonly calleeIds: readonly string[] };

const REASONS = { decline: "declined", ignore: "ignored", busy: "busy" } as const;

/** A device that speaks the protocol, and is a client to it as `client/` is: without media, and also in group calls. */
export class BareDevice {
  readonly person: Person;
  readonly calls = new Map<string, BareCall>();
  readonly heard: ServerMessage[] = [];
  readonly #world: World;
  readonly #line: DeviceLine;
  readonly #hasPath: (callId: string) => boolean;
  /** The calls that other devices of the user are in, as far as this one has heard. */
  #elsewhere = new Set<string>();
  /** Initiations that the user has given up before the reply, by the ids of their commands. */
  readonly #givenUp = new Set<string>();

  /** @param hasPath whether media could flow between this device and another one in the call */
  constructor(world: World, person: Person, deviceId: string, hasPath: (callId: string) => boolean) {
    this.#world = world;
    this.#hasPath = hasPath;
    this.person = person;
    this.#line = new DeviceLine(world, person, deviceId, {
      heard: (message) => this.#hear(message),
      registered: (calls, isUsers) => this.#registered(calls, isUsers),
    });
  }

  get deviceId(): string {
    return this.#line.deviceId;
  }

  get radio(): Radio {
    return this.#line.radio;
  }

  get isOnline(): boolean {
    return this.#line.isOnline;
  }

  belief(callId: string): Belief {
    return this.calls.get(callId)?.belief ?? "idle";
  }

  /** @returns whether there was anything to press */
  press(press: Press, callId: string): boolean {
    const call = this.calls.get(callId);
    switch (press.type) {
      case "call":
        return this.#initiate(press);
      case "answer":
        return this.#answer(callId, call);
      case "decline":
      case "ignore":
      case "busy":
        return this.#refuse(callId, call, press.type);
      case "hangUp":
        return this.#hangUp(callId, call);
      case "hold":
      case "unhold":
        return this.#hold(callId, call, press.type === "hold");
      case "takeOver":
        return this.#takeOver(callId, call);
      case "join":
        return this.#join(callId, call);
      case "invite":
        return this.#invite(callId, call, press.calleeIds);
    }
  }

  #initiate({ calleeIds, callType }: Extract<Press, { type: "call" }>): boolean {
    const idempotencyKey = crypto.randomUUID();
    const asked = { idempotencyKey, calleeIds: [...calleeIds], callType, sdp: "offer" };
    this.#line.request({ type: "call_initiate", ...asked }, null);
    return true;
  }

  #answer(callId: string, call: BareCall | undefined): boolean {
    if (call?.phase.kind !== "incoming") return false;
    call.step({ type: "answering" });
    this.#line.attach(callId);
    this.#line.request({ type: "call_answer", callId, sdp: "answer" }, callId);
    return true;
  }

  #refuse(callId: string, call: BareCall | undefined, type: keyof typeof REASONS): boolean {
    if (call?.phase.kind !== "incoming") return false;
    call.step({ type: "ended", ending: { kind: type === "decline" ? "declined" : "ignored" } });
    this.#line.request({ type: "call_decline", callId, reason: REASONS[type] }, callId);
    return true;
  }

  /** A call that has no id here yet is ended once it has one. */
  #hangUp(callId: string, call: BareCall | undefined): boolean {
    if (!call) {
      const initiation = this.#line.awaiting("call_initiate");
      if (initiation !== undefined) this.#givenUp.add(initiation);
      return initiation !== undefined;
    }
    if (call.isOver) return false;
    call.step({ type: "ended", ending: { kind: "hung_up", durationSeconds: null } });
    this.#line.request({ type: "call_end", callId }, callId);
    return true;
  }

  #hold(callId: string, call: BareCall | undefined, on: boolean): boolean {
    if (!call?.isAnswered) return false;
    this.#line.say({ type: "call_hold", callId, on });
    return true;
  }

  #takeOver(callId: string, known: BareCall | undefined): boolean {
    if (!this.#elsewhere.has(callId) || known?.isOver === false) return false;
    const call = new BareCall(
      { kind: "moving", since: this.#world.clock.now },
      this.#self(known?.self.direction ?? "incoming"),
    );
    this.calls.set(callId, call);
    this.#world.clock.after(HANDOFF_MS + MARGIN_MS, () => this.#overdue(callId, call));
    const connectionId = crypto.randomUUID();
    this.#line.request({ type: "call_handoff", callId, sdp: "second offer", connectionId }, callId);
    return true;
  }

  /** Without a network it cannot know; once it is back, a snapshot says where the call is. */
  #overdue(callId: string, call: BareCall): void {
    if (this.isOnline) this.#stays(callId, call);
    else this.#world.clock.after(MARGIN_MS, () => this.#overdue(callId, call));
  }

  /** The call goes on where it was. */
  #stays(callId: string, call: BareCall | undefined): void {
    if (call?.phase.kind !== "moving") return;
    call.step({ type: "ended", ending: { kind: "not_moved" } });
    this.#line.say({ type: "call_media", callId, state: "failed" });
  }

  #join(callId: string, known: BareCall | undefined): boolean {
    if (!known?.isOver) return false;
    this.#line.request({ type: "call_answer", callId }, callId);
    return true;
  }

  #invite(callId: string, call: BareCall | undefined, calleeIds: readonly string[]): boolean {
    if (!call?.isAnswered) return false;
    this.#line.request({ type: "call_invite", callId, calleeIds: [...calleeIds] }, callId);
    return true;
  }

  #self(direction: "incoming" | "outgoing") {
    return { direction, deviceId: this.deviceId, userId: this.person.userId };
  }

  #registered(calls: readonly CallSnapshot[], isUsers: boolean): void {
    for (const call of calls) this.#snapshot(call, calls);
    if (!isUsers) return;
    this.#elsewhere = new Set(calls.filter((call) => this.#isElsewhere(call)).map(({ callId }) => callId));
    const told = new Set(calls.map(({ callId }) => callId));
    for (const [callId, call] of this.calls) if (!call.isOver && !told.has(callId)) this.#sync(callId);
  }

  #isElsewhere({ state, participants }: CallSnapshot): boolean {
    const own = participants.find(({ userId }) => userId === this.person.userId)?.deviceId;
    return state !== "ended" && own !== undefined && own !== this.deviceId;
  }

  #sync(callId: string): void {
    this.#line.request({ type: "call_sync", callId }, callId);
  }

  #hear(message: ServerMessage): void {
    this.heard.push(message);
    if (message.type === "incoming_call" || message.type === "call_waiting") this.#rung(message);
    else if (message.type === "call_initiated") this.#initiated(message);
    else if (message.type === "call_merged") this.#merge(message.callId, message.into);
    else if (message.type === "call_state") this.#snapshot(message, []);
    else if (message.type === "error") this.#refused(message);
    else this.#tell(message);
  }

  #rung({ callId, remainingMs }: ServerMessageOf<"incoming_call" | "call_waiting">): void {
    // Somebody whose part in a group call is over may be invited again.
    if (this.calls.get(callId)?.mayRing === false || this.#line.isAwaiting(callId)) return;
    const call = new BareCall({ kind: "incoming" }, this.#self("incoming"));
    this.calls.set(callId, call);
    this.#line.say({ type: "call_alerting", callId });
    this.#world.clock.after(remainingMs + MARGIN_MS, () => {
      const ending = { kind: "cancelled", reason: "timed_out", byDevice: null } as const;
      if (call.phase.kind === "incoming") call.step({ type: "ended", ending });
    });
  }

  #initiated({ callId, re }: ServerMessageOf<"call_initiated">): void {
    if (!this.#line.awaited(re) || this.calls.has(callId)) return;
    const call = new BareCall({ kind: "reaching" }, this.#self("outgoing"));
    this.calls.set(callId, call);
    if (re !== undefined && this.#givenUp.has(re)) this.#hangUp(callId, call);
    else this.#line.attach(callId);
  }

  /** The call goes on as the other one, which this device answers. */
  #merge(callId: string, into: string): void {
    const own = this.calls.get(callId);
    if (!own || own.isOver || own.self.direction === "incoming") return;
    own.step({ type: "ended", ending: { kind: "cancelled", reason: "glare_merged", byDevice: null } });
    this.#line.detach(callId);
    this.calls.set(into, new BareCall({ kind: "answering" }, this.#self("incoming")));
    this.#line.attach(into);
    this.#line.request({ type: "call_answer", callId: into, sdp: "answer" }, into);
  }

  #snapshot(call: CallSnapshot, others: readonly CallSnapshot[]): void {
    const into = others.find(({ callId }) => callId === call.mergedInto)?.callId ?? call.mergedInto;
    if (into !== undefined) this.#merge(call.callId, into);
    this.#tell({ type: "call_state", ...call });
  }

  #refused(message: ServerMessageOf<"error">): void {
    const asked = message.code === "internal" ? undefined : this.#line.awaited(message.re);
    if (asked?.type === "call_handoff") this.#stays(asked.callId, this.calls.get(asked.callId));
    this.#tell(message);
  }

  #tell(message: ServerMessage): void {
    const callId = "callId" in message ? message.callId : undefined;
    if (callId === undefined) return;
    this.#locate(message, callId);
    if (message.type === "call_connected") this.#comesAfterAll(message);
    const call = this.calls.get(callId);
    if (!call) return;
    const wasAnswered = call.isAnswered;
    if (call.hear(message, this.#world.clock.now)) this.#sync(callId);
    if (call.isOver) this.#line.detach(callId);
    else if (!wasAnswered && call.isAnswered) this.#talks(callId, call);
    this.#negotiate(message, callId, call);
  }

  #locate(message: ServerMessage, callId: string): void {
    if (message.type !== "call_elsewhere" && message.type !== "call_handed_off") return;
    const isOver = message.type === "call_elsewhere" && message.state === "ended";
    if (isOver || message.deviceId === this.deviceId) this.#elsewhere.delete(callId);
    else if (message.type === "call_elsewhere" || message.userId === this.person.userId) this.#elsewhere.add(callId);
  }

  /** A group call takes in who answers late, whatever they have heard meanwhile. */
  #comesAfterAll({ callId, re, rev }: ServerMessageOf<"call_connected">): void {
    const known = this.calls.get(callId);
    const isLate = this.#line.awaited(re)?.type === "call_answer" && known?.isOver && rev > known.overSince;
    if (isLate && !this.#line.isAwaiting(callId, "call_end"))
      this.calls.set(callId, new BareCall({ kind: "answering" }, this.#self("incoming")));
  }

  #talks(callId: string, call: BareCall): void {
    this.#line.attach(callId);
    this.#world.clock.after(MEDIA_MS, () => this.#connects(callId, call));
  }

  #connects(callId: string, call: BareCall): void {
    if (call.isOver) return;
    if (!this.#hasPath(callId)) {
      this.#world.clock.after(MEDIA_MS, () => this.#connects(callId, call));
      return;
    }
    call.step({ type: "media", state: "connected" });
    this.#line.say({ type: "call_media", callId, state: "connected" });
  }

  /** A second connection, on either side of a handoff. */
  #negotiate(message: ServerMessage, callId: string, call: BareCall): void {
    if (message.type !== "call_negotiate" || message.connectionId === undefined) return;
    const { connectionId, sdpType } = message;
    if (sdpType === "offer" && call.isAnswered)
      this.#line.say({ type: "call_negotiate", callId, sdp: "second answer", sdpType: "answer", connectionId });
    if (sdpType === "answer") this.#world.clock.after(MEDIA_MS, () => this.#arrives(callId, call));
  }

  #arrives(callId: string, call: BareCall): void {
    if (call.phase.kind === "moving") this.#line.say({ type: "call_media", callId, state: "connected" });
  }
}
