import type { CallType, DeclineReason } from "../schema/call.ts";
import { HANDOFF_MS } from "../schema/limits.ts";
import type { ServerMessage, ServerMessageOf } from "../schema/server-messages.ts";
import { type CallCommand, CallCommands, candidates, negotiation } from "./call-commands.ts";
import { feed } from "./call-feed.ts";
import type { CallLink } from "./call-link.ts";
import { CallMedia, type CallMediaEvents } from "./call-media.ts";
import type { CallOptions, MergedInto, Person } from "./call-options.ts";
import { type CallEvent, type CallPhase, type Ending, isAnswered, reduce, type Self } from "./call-state.ts";
import { errorCode, SwitchboardError, type SwitchboardErrorCode } from "./errors.ts";
import { type Holds, NOBODY_HOLDS, withHold } from "./holds.ts";
import type { MediaChoice } from "./media.ts";
import type { PathState } from "./peer.ts";
import { RevisionGap } from "./revision-gap.ts";
import { isOfGroup, openRoom } from "./room/call-room.ts";
import type { Room } from "./room/room.ts";
import { Signal } from "./signal.ts";

/** The server decides; only a device that is cut off needs to do so itself, a little later. */
const MARGIN_MS = 1_000;

/** A call socket is open within this; nobody can use a caller's candidates before somebody has answered. */
const CALL_SOCKET_MS = 250;

/** One call, as this device takes part in it: between two people, or with more of them in a room. */
export class Call {
  /** Unique on this device from the start; `id` is the server's, comes later, and changes when two calls cross. */
  readonly key: string = crypto.randomUUID();
  readonly direction: Self["direction"];
  readonly callType: CallType;
  /** The other one; in a group the caller, or the first who was called. */
  readonly person: Person;
  /** All who were called by this device. */
  readonly people: readonly Person[];
  /** Something that a page shows has changed. */
  readonly changed = new Signal<Call>();
  readonly media: CallMedia;
  readonly #link: CallLink;
  readonly #offer: string | undefined;
  readonly #commands: CallCommands;
  readonly #gap = new RevisionGap();
  #room: Room | null = null;
  #phase: CallPhase;
  #holds: Holds = NOBODY_HOLDS;
  /** Who gave way to a call in the other direction is the one who answers. */
  #answers: Self["direction"];
  /** Media may flow before the word that the call was answered is here. */
  #path: "connected" | "recovering" | null = null;
  #deadline: ReturnType<typeof setTimeout> | undefined;
  /** Settled when the server has heard that this device left. */
  #farewell: Promise<unknown> = Promise.resolve();

  constructor({ link, direction, callType, person, people, id, offer, remainingMs, movingSince }: CallOptions) {
    this.direction = direction;
    this.#answers = direction;
    this.callType = callType;
    this.person = person;
    this.people = people ?? [person];
    this.#link = link;
    this.#commands = new CallCommands(link, id);
    this.#offer = offer;
    this.#phase = { kind: direction === "outgoing" ? "initiating" : "incoming" };
    if (movingSince !== undefined) this.#phase = { kind: "moving", since: movingSince };
    if (remainingMs !== undefined) this.#deadline = setTimeout(() => this.#rangOut(), remainingMs + MARGIN_MS);
    this.media = new CallMedia(link, this.#mediaEvents());
    if (callType === "group") this.#room = this.#openRoom();
  }

  /** Known once the server has taken the call. */
  get id(): string | null {
    return this.#commands.id;
  }

  get phase(): CallPhase {
    return this.#phase;
  }

  /** The people of a group call and their media; null while the call is one between two. */
  get room(): Room | null {
    return this.#room;
  }

  /** It rings while this device is in another call: see `endAndAccept` and `holdAndAccept` of the Switchboard. */
  get isWaiting(): boolean {
    return this.#is("incoming") && this.#link.isEngagedBeside(this.id);
  }

  /** This user has put it on hold. */
  get isOnHold(): boolean {
    return this.#holds.own;
  }

  /** The other one has put it on hold. */
  get heldByPeer(): boolean {
    return this.#holds.peer;
  }

  /** For an outgoing call: opens microphone and camera, offers, and has the callee's devices rung. */
  async start(choice: MediaChoice, commandId: string): Promise<void> {
    try {
      const sdp = await this.#openOffer(choice);
      if (this.#is("ended")) return;
      const calleeIds = this.people.map(({ userId }) => userId);
      const about = { idempotencyKey: commandId, calleeIds, callType: this.callType };
      const initiate = { type: "call_initiate" as const, ...about, ...(sdp !== undefined && { sdp }) };
      await this.#link.request(initiate, null, commandId);
    } catch (error) {
      this.#fail(errorCode(error));
    }
  }

  /** Tells that this device really rings: only then does the caller hear ringing. */
  alerting(): void {
    if (this.#is("incoming")) this.#send({ type: "call_alerting" });
  }

  /**
   * Takes an incoming call. The call rings on when the microphone cannot be opened.
   * @throws SwitchboardError `microphone_denied` or `microphone_missing`, or what the server answered
   */
  async answer(choice: MediaChoice): Promise<void> {
    if (this.id === null || !this.#is("incoming")) return;
    this.#step({ type: "answering" });
    this.#link.attach(this.id);
    const sdp = await this.#openAnswer(choice);
    if (this.#is("answering")) await this.#sendAnswer(sdp);
  }

  /** Stops the ringing on all of the user's devices. */
  decline(): void {
    this.#refuse("declined", { kind: "declined" });
  }

  /** Silences this device only; the caller hears no difference. */
  ignore(): void {
    this.#refuse("ignored", { kind: "ignored" });
  }

  hangUp(): void {
    const phase = this.#phase;
    const durationSeconds = isAnswered(phase) ? Math.round((this.#link.now() - phase.since) / 1000) : null;
    const ending: Ending = { kind: "hung_up", durationSeconds };
    if (this.#is("incoming")) this.decline();
    else if (this.#is("moving")) this.#stay();
    else if (this.id === null) this.#step({ type: "ended", ending });
    else this.#leave({ type: "call_end" }, ending);
  }

  /**
   * Calls more people into an answered call, which so becomes a group call; its media moves into a room by itself.
   * @throws SwitchboardError `too_many_participants`, or what else the server answered
   */
  async invite(people: readonly Person[]): Promise<void> {
    await this.#commands.request({ type: "call_invite", calleeIds: people.map(({ userId }) => userId) });
  }

  /** Puts an answered call on hold, or takes it off: nothing is sent, heard or seen, and the other one knows. */
  async hold(isOn: boolean): Promise<void> {
    if (!isAnswered(this.#phase) || this.isOnHold === isOn) return;
    this.#held({ ...this.#holds, own: isOn });
    this.#send({ type: "call_hold", on: isOn });
    await this.media.hold(isOn);
    this.#room?.publish();
  }

  /**
   * Asks another device of the user's, which is idle, to take the call over. It stays here until it does.
   * @throws SwitchboardError what the server answered
   */
  async moveTo(deviceId: string): Promise<void> {
    await this.#commands.request({ type: "call_handoff", toDeviceId: deviceId });
  }

  /** For a call that another device of the user's is in: takes it over as soon as media flows here. */
  async takeOver(choice: MediaChoice): Promise<void> {
    this.#deadline = setTimeout(() => this.#stay(), HANDOFF_MS + MARGIN_MS);
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
    this.#answers = "incoming";
    this.#gap.reset();
    this.#link.attach(callId);
    try {
      const answer = await this.media.answerInstead(sdp ?? (await this.#askOffer()), callType === "video");
      if (!this.#is("ended")) await this.#sendAnswer(answer);
    } catch (error) {
      this.#leave({ type: "call_end" }, { kind: "failed", code: errorCode(error) });
    }
  }

  /** It rings no more: the call that it rang for is this device's own, which goes on as it. */
  supersede(): void {
    this.#commands.id = null;
    this.#step({ type: "ended", ending: { kind: "cancelled", reason: "glare_merged", byDevice: null } });
  }

  /** A message of the server about this call. */
  handle(message: ServerMessage): void {
    if (message.type === "call_initiated") this.#initiated(message);
    if (this.#is("ended")) return;
    const wasMoving = this.#is("moving");
    this.#step({ type: "heard", message, at: this.#link.now() });
    if (this.#path) this.#step({ type: "media", state: this.#path });
    if (wasMoving && isAnswered(this.#phase)) this.#moved();
    this.#held(withHold(this.#holds, message, this.#link.userId));
    if (isOfGroup(message)) this.#room ??= this.#openRoom();
    if (isAnswered(this.#phase)) this.#room?.answered();
    this.#room?.hear(message);
    if (this.#gap.isBehind(message) && isAnswered(this.#phase)) void this.#sync();
    void this.#feed(message);
  }

  /** This device's sockets are back: what it missed is asked for, and a broken path renewed. */
  resumed(): void {
    if (!this.#is("ended")) void this.#sync();
    this.media.recover();
  }

  #mediaEvents(): CallMediaEvents {
    return {
      description: (description, connectionId) => this.#send(negotiation(description, connectionId)),
      candidates: (batch, connectionId) => this.#send(candidates(batch, connectionId)),
      path: (state, candidateType) => {
        // In a group the connection between two is on its way out.
        if (this.#room && (state === "failed" || this.#room.isUp)) return;
        this.#send({ type: "call_media", state, ...(candidateType && { candidateType }) });
        this.#pathIs(state);
      },
      changed: () => {
        this.#room?.publish();
        this.changed.emit(this);
      },
    };
  }

  #pathIs(state: PathState): void {
    if (state === "failed" || this.id === null) return;
    this.#path = state;
    this.#step({ type: "media", state });
  }

  #openRoom(): Room {
    const isBornAsGroup = this.callType === "group";
    const state = isBornAsGroup && this.direction === "outgoing" ? "invited" : "joined";
    return openRoom({
      link: this.#link,
      commands: this.#commands,
      media: this.media,
      peerId: isBornAsGroup ? null : this.person.userId,
      known: this.people.map((person) => ({ ...person, state })),
      changed: () => this.changed.emit(this),
      path: (state) => this.#roomPathIs(state),
    });
  }

  #roomPathIs(state: PathState): void {
    const report = { type: "call_media", state } as const;
    if (state === "failed") this.#leave(report, { kind: "failed", code: "room_unavailable" });
    else this.#send(report);
    this.#pathIs(state);
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

  async #feed(message: ServerMessage): Promise<void> {
    try {
      const reply = await feed(message, { media: this.media, phase: this.#phase, self: this.#self });
      if (reply) this.#send(reply);
    } catch {
      // What the other side sent does not fit its connection; ICE and the next description mend what can be.
    }
  }

  /** A group's media begins when it is answered, with the room. */
  async #openOffer(choice: MediaChoice): Promise<string | undefined> {
    if (this.callType !== "group") return this.media.offer(choice);
    await this.media.openDevices(choice);
    return undefined;
  }

  /** The microphone first: a call that cannot be taken here rings on. */
  async #openAnswer(choice: MediaChoice): Promise<string | undefined> {
    try {
      if (this.callType !== "group") return await this.media.answer(choice, this.#offer);
      await this.media.openDevices(choice);
      return undefined;
    } catch (error) {
      this.media.reset();
      this.#step({ type: "answer_failed" });
      throw error instanceof SwitchboardError ? error : new SwitchboardError("internal", String(error));
    }
  }

  async #sendAnswer(sdp: string | undefined): Promise<void> {
    this.media.release();
    await this.#commands.request({ type: "call_answer", ...(sdp !== undefined && { sdp }) }).catch((error) => {
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
    this.#step({ type: "ended", ending });
  }

  #rangOut(): void {
    const ending: Ending = { kind: "cancelled", reason: "timed_out", byDevice: null };
    if (this.#is("incoming")) this.#step({ type: "ended", ending });
  }

  #fail(code: SwitchboardErrorCode): void {
    this.#step({ type: "ended", ending: { kind: "failed", code } });
  }

  #send(command: CallCommand): void {
    if (!this.#is("ended")) this.#commands.send(command);
  }

  async #sync(): Promise<void> {
    if (!(await this.#commands.tell({ type: "call_sync" }))) this.#fail("call_not_found");
  }

  #held(holds: Holds): void {
    if (holds === this.#holds) return;
    this.#holds = holds;
    this.changed.emit(this);
  }

  get #self(): Self {
    const { deviceId, userId } = this.#link;
    return { direction: this.#answers, deviceId, userId };
  }

  #is(kind: CallPhase["kind"]): boolean {
    return this.#phase.kind === kind;
  }

  #step(event: CallEvent): void {
    const before = this.#phase;
    this.#phase = reduce(before, event, this.#self);
    if (this.#phase === before) return;
    if (this.#is("ended")) this.#close();
    this.changed.emit(this);
  }

  #close(): void {
    clearTimeout(this.#deadline);
    this.#room?.close();
    this.media.close();
    void this.#farewell.then(() => this.#link.release(this.id));
  }
}
