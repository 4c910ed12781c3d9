import type { CallType, DeclineReason } from "../schema/call.ts";
import { HANDOFF_MS } from "../schema/limits.ts";
import type { ServerMessage, ServerMessageOf } from "../schema/server-messages.ts";
import type { Call } from "./call.ts";
import { type CallCommand, CallCommands } from "./call-commands.ts";
import type { CallLink } from "./call-link.ts";
import type { CallMedia } from "./call-media.ts";
import type { CallOptions, MergedInto, Person } from "./call-options.ts";
import { type CallPhase, type Ending, isAnswered } from "./call-state.ts";
import { errorCode, SwitchboardError, type SwitchboardErrorCode } from "./errors.ts";
import type { MediaChoice } from "./media.ts";
import { MediaRoute } from "./media-route.ts";
import type { Room } from "./room/room.ts";
import { Signal } from "./signal.ts";
import { Standing } from "./standing.ts";

/** The server decides; only a device that is cut off needs to do so itself, a little later. */
const MARGIN_MS = 1_000;

/** A call socket is open within this; nobody can use a caller's candidates before somebody has answered. */
const CALL_SOCKET_MS = 250;

/** A call as an app sees it, and what the client does with it besides. */
export class DeviceCall implements Call {
  readonly key: string = crypto.randomUUID();
  readonly direction: Call["direction"];
  readonly callType: CallType;
  readonly person: Person;
  readonly people: readonly Person[];
  readonly changed = new Signal<Call>();
  /** Until when it was to ring here, in Unix ms; 0 if it did not. */
  readonly ringsUntil: number;
  readonly #link: CallLink;
  readonly #offer: string | undefined;
  readonly #commands: CallCommands;
  readonly #standing: Standing;
  readonly #route: MediaRoute;
  #deadline: ReturnType<typeof setTimeout> | undefined;
  /** Settled when the server has heard that this device left. */
  #farewell: Promise<unknown> = Promise.resolve();

  constructor(options: CallOptions) {
    const { link, direction, callType, person, people = [person], id, offer, remainingMs } = options;
    this.direction = direction;
    this.callType = callType;
    this.person = person;
    this.people = people;
    this.ringsUntil = remainingMs === undefined ? 0 : link.now() + remainingMs;
    this.#link = link;
    this.#commands = new CallCommands(link, id);
    this.#offer = offer;
    this.#standing = new Standing(options, {
      changed: () => this.changed.emit(this),
      ended: () => this.#close(),
    });
    const about = { link, commands: this.#commands, callType, direction, person, people };
    this.#route = new MediaRoute(about, {
      send: (command) => this.#send(command),
      path: (state) => this.#pathIs(state),
      lost: () => this.#leave({ type: "call_end" }, { kind: "failed", code: "room_unavailable" }),
      changed: () => this.changed.emit(this),
    });
    if (remainingMs !== undefined) this.#deadline = setTimeout(() => this.#rangOut(), remainingMs + MARGIN_MS);
  }

  get id(): string | null {
    return this.#commands.id;
  }

  get phase(): CallPhase {
    return this.#standing.phase;
  }

  get media(): CallMedia {
    return this.#route.media;
  }

  get room(): Room | null {
    return this.#route.room;
  }

  get isWaiting(): boolean {
    return this.#is("incoming") && this.#link.isEngagedBeside(this.id);
  }

  get isOnHold(): boolean {
    return this.heldSince !== null;
  }

  /** Since when, in Unix ms; null while it is not on hold. */
  get heldSince(): number | null {
    return this.#standing.holds.since;
  }

  get heldByPeer(): boolean {
    return this.#standing.holds.peer;
  }

  /** For an outgoing call: opens microphone and camera, offers, and has the callee's devices rung. */
  async start(choice: MediaChoice, commandId: string): Promise<void> {
    try {
      const sdp = await this.#route.offer(choice);
      if (this.#is("ended")) return;
      const calleeIds = this.people.map(({ userId }) => userId);
      const about = { idempotencyKey: commandId, calleeIds, callType: this.callType };
      const initiate = { type: "call_initiate" as const, ...about, ...(sdp !== undefined && { sdp }) };
      await this.#link.request(initiate, null, commandId);
    } catch (error) {
      this.#fail(errorCode(error));
    }
  }

  alerting(): void {
    if (!this.#is("incoming")) return;
    this.#route.alerting();
    this.#send({ type: "call_alerting" });
  }

  async answer(choice: MediaChoice): Promise<void> {
    if (this.id === null || !this.#is("incoming")) return;
    this.#standing.step({ type: "answering" });
    this.#link.attach(this.id);
    const sdp = await this.#openAnswer(choice);
    if (this.#is("answering")) await this.#sendAnswer(sdp);
  }

  /** For a group call that goes on, in which this device is not, or not any more. */
  async join(choice: MediaChoice): Promise<void> {
    this.#standing.step({ type: "answering" });
    this.#route.begins();
    try {
      await this.#sendAnswer(await this.#openAnswer(choice), true);
      // Not before: until then the call's socket says that it is over for this user.
      if (this.id !== null && !this.#is("ended")) this.#link.attach(this.id);
    } catch (error) {
      this.#fail(errorCode(error));
    }
  }

  decline(): void {
    this.#refuse("declined", { kind: "declined" });
  }

  ignore(): void {
    this.#refuse("ignored", { kind: "ignored" });
  }

  hangUp(): void {
    const { phase, isOnHold } = this;
    const durationSeconds = isAnswered(phase) ? Math.round((this.#link.now() - phase.since) / 1000) : null;
    const ending: Ending = { kind: "hung_up", durationSeconds };
    if (this.#is("incoming")) this.decline();
    else if (this.#is("moving")) this.#stay();
    else if (this.id === null) this.#standing.end(ending);
    else this.#leave({ type: "call_end" }, ending);
    if (!isOnHold) this.#link.freed();
  }

  async invite(people: readonly Person[]): Promise<void> {
    await this.#commands.request({ type: "call_invite", calleeIds: people.map(({ userId }) => userId) });
  }

  async hold(isOn: boolean): Promise<void> {
    if (!this.#standing.isAnswered || this.isOnHold === isOn) return;
    this.#standing.hold(isOn);
    this.#send({ type: "call_hold", on: isOn });
    await this.#route.hold(isOn);
  }

  async moveTo(deviceId: string): Promise<void> {
    await this.#commands.request({ type: "call_handoff", toDeviceId: deviceId });
  }

  /** For a call that another device of the user's is in: takes it over as soon as media flows here. */
  async takeOver(choice: MediaChoice): Promise<void> {
    this.#deadline = setTimeout(() => this.#stay(), HANDOFF_MS + MARGIN_MS);
    this.#route.begins();
    try {
      const connectionId = crypto.randomUUID();
      const sdp = await this.media.offer(choice, connectionId);
      if (!this.#is("moving")) return;
      await this.#commands.request({ type: "call_handoff", sdp, connectionId });
      this.media.release();
    } catch (error) {
      // The server may be waiting for this device's media by now.
      this.#leave({ type: "call_media", state: "failed" }, { kind: "failed", code: errorCode(error) });
    }
  }

  /** Both called each other, and the other call goes on: this one goes on as that, without anybody's tap. */
  async merge({ callId, callType, sdp }: MergedInto): Promise<void> {
    this.#commands.id = callId;
    this.#standing.givesWay();
    this.#link.attach(callId);
    const isVoice = callType === "audio" || this.callType === "audio";
    try {
      const answer = await this.media.answerInstead(sdp ?? (await this.#askOffer()), isVoice);
      if (!this.#is("ended")) await this.#sendAnswer(answer);
    } catch (error) {
      this.#leave({ type: "call_end" }, { kind: "failed", code: errorCode(error) });
    }
  }

  /** It rings no more: the call that it rang for is this device's own, which goes on as it. */
  supersede(): void {
    this.#commands.id = null;
    this.#standing.end({ kind: "cancelled", reason: "glare_merged", byDevice: null });
  }

  /** A message of the server about this call. */
  handle(message: ServerMessage): void {
    if (message.type === "call_initiated") this.#initiated(message);
    if (this.#is("ended")) return;
    const wasMoving = this.#is("moving");
    const isBehind = this.#standing.hear(message);
    if (wasMoving && this.#standing.isAnswered) this.#moved();
    this.#route.hear(message, this.phase, this.#standing.self);
    if (isBehind) void this.#sync();
  }

  /** This device's sockets are back: what it missed is asked for, and a broken path renewed. */
  resumed(): void {
    if (!this.#is("ended")) void this.#sync();
    this.media.recover();
  }

  /** The call's own socket is back: what was said on the one before may be lost, while it waited for an answer. */
  reattached(): void {
    if (!this.#standing.isAnswered && !this.#is("ended")) this.media.repeatCandidates();
  }

  /** The device has another network. */
  moved(): void {
    this.#route.moved();
  }

  /** Before the call has an id there is nobody whose path it could be. */
  #pathIs(state: "connected" | "recovering"): void {
    if (this.id !== null) this.#standing.path(state);
  }

  #initiated({ callId }: ServerMessageOf<"call_initiated">): void {
    if (this.id !== null) return;
    this.#commands.id = callId;
    // Hung up before the server had a name for the call: it is told now.
    if (this.#is("ended")) {
      void this.#commands.tell({ type: "call_end" });
      return;
    }
    this.#link.attach(callId);
    this.media.release(CALL_SOCKET_MS);
  }

  /** The microphone first: a call that cannot be taken here rings on. */
  async #openAnswer(choice: MediaChoice): Promise<string | undefined> {
    try {
      return await this.#route.answer(choice, this.#offer);
    } catch (error) {
      this.media.reset();
      this.#standing.step({ type: "answer_failed" });
      throw error instanceof SwitchboardError ? error : new SwitchboardError("internal", String(error));
    }
  }

  /** @param join also while another device of this user is in the call */
  async #sendAnswer(sdp: string | undefined, join = false): Promise<void> {
    this.media.release();
    const answer = { type: "call_answer" as const, ...(sdp !== undefined && { sdp }), ...(join && { join }) };
    await this.#commands.request(answer).catch((error) => {
      // The server may have taken the answer: nobody is to wait for this device.
      this.#leave({ type: "call_end" }, { kind: "failed", code: errorCode(error) });
      throw error;
    });
  }

  /** The offer of the call that this one gave way to, where a gap has swallowed it. */
  async #askOffer(): Promise<string | undefined> {
    const reply = await this.#commands.request({ type: "call_sync" });
    return reply?.type === "call_state" ? reply.sdp : undefined;
  }

  #moved(): void {
    clearTimeout(this.#deadline);
    if (this.id !== null) this.#link.attach(this.id);
    this.#send({ type: "call_hold", on: false });
  }

  /** The call stays on the device that has it. */
  #stay(): void {
    if (this.#is("moving")) this.#leave({ type: "call_media", state: "failed" }, { kind: "not_moved" });
  }

  #refuse(reason: DeclineReason, ending: Ending): void {
    if (this.#is("incoming")) this.#leave({ type: "call_decline", reason }, ending);
  }

  /** Over at once here; the server hears of it as soon as it can be reached. */
  #leave(command: CallCommand, ending: Ending): void {
    if (this.#is("ended")) return;
    if (command.type === "call_media") this.#send(command);
    else this.#farewell = this.#commands.tell(command);
    this.#standing.end(ending);
  }

  #rangOut(): void {
    const ending: Ending = { kind: "cancelled", reason: "timed_out", byDevice: null };
    if (this.#is("incoming")) this.#standing.end(ending);
  }

  #fail(code: SwitchboardErrorCode): void {
    this.#standing.end({ kind: "failed", code });
  }

  #send(command: CallCommand): void {
    if (!this.#is("ended")) this.#commands.send(command);
  }

  async #sync(): Promise<void> {
    if (!(await this.#commands.tell({ type: "call_sync" }))) this.#fail("call_not_found");
  }

  #is(kind: CallPhase["kind"]): boolean {
    return this.#standing.is(kind);
  }

  #close(): void {
    clearTimeout(this.#deadline);
    this.#route.close();
    void this.#farewell.then(() => this.#link.release(this.id));
  }
}
