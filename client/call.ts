import type { CallType, DeclineReason } from "../schema/call.ts";
import type { ServerMessage, ServerMessageOf } from "../schema/server-messages.ts";
import type { CallLink } from "./call-link.ts";
import { CallMedia } from "./call-media.ts";
import { type CallEvent, type CallPhase, type Ending, isAnswered, reduce, type Self } from "./call-state.ts";
import { errorCode, SwitchboardError, type SwitchboardErrorCode } from "./errors.ts";
import type { MediaChoice } from "./media.ts";
import type { Description } from "./peer.ts";
import { Signal } from "./signal.ts";

export interface Person {
  readonly userId: string;
  /** As the server knows it; null where it has not said. */
  readonly name: string | null;
}

export interface CallOptions {
  readonly link: CallLink;
  readonly direction: Self["direction"];
  readonly callType: CallType;
  readonly person: Person;
  readonly id: string | null;
  /** The caller's offer, for an incoming call. */
  readonly offer?: string | undefined;
  /** How long an incoming call may still ring. */
  readonly remainingMs?: number;
}

type InCall = Parameters<CallLink["send"]>[0];

/** The server stops the ringing; only a device that is cut off needs to do so itself, a little later. */
const RING_MARGIN_MS = 1_000;

/** A call socket is open within this; nobody can use a caller's candidates before somebody has answered. */
const CALL_SOCKET_MS = 250;

/** One call between two people, as this device takes part in it. */
export class Call {
  /** Unique on this device from the start; `id` is the server's and comes later. */
  readonly key: string = crypto.randomUUID();
  readonly direction: Self["direction"];
  readonly callType: CallType;
  /** The other one. */
  readonly person: Person;
  /** Something that a page shows has changed. */
  readonly changed = new Signal<Call>();
  readonly media: CallMedia;
  readonly #link: CallLink;
  readonly #offer: string | undefined;
  #id: string | null;
  #phase: CallPhase;
  /** Media may flow before the word that the call was answered is here. */
  #path: "connected" | "recovering" | null = null;
  #ringing: ReturnType<typeof setTimeout> | undefined;
  /** Settled when the server has heard that this device left. */
  #farewell: Promise<void> = Promise.resolve();

  constructor({ link, direction, callType, person, id, offer, remainingMs }: CallOptions) {
    this.direction = direction;
    this.callType = callType;
    this.person = person;
    this.#link = link;
    this.#id = id;
    this.#offer = offer;
    this.#phase = { kind: direction === "outgoing" ? "initiating" : "incoming" };
    if (remainingMs !== undefined) this.#ringing = setTimeout(() => this.#rangOut(), remainingMs + RING_MARGIN_MS);
    this.media = new CallMedia(link, direction === "incoming", {
      description: (description) => this.#describe(description),
      candidates: ({ candidates, endOfCandidates }) => {
        if (this.#id === null) return;
        this.#send({
          type: "ice_candidate",
          callId: this.#id,
          candidates,
          ...(endOfCandidates && { endOfCandidates }),
        });
      },
      path: (state, candidateType) => {
        if (this.#id === null) return;
        this.#send({ type: "call_media", callId: this.#id, state, ...(candidateType && { candidateType }) });
        if (state === "failed") return;
        this.#path = state;
        this.#step({ type: "media", state });
      },
      changed: () => this.changed.emit(this),
    });
  }

  /** Known once the server has taken the call. */
  get id(): string | null {
    return this.#id;
  }

  get phase(): CallPhase {
    return this.#phase;
  }

  /** For an outgoing call: opens microphone and camera, offers, and has the callee's devices rung. */
  async start(choice: MediaChoice, commandId: string): Promise<void> {
    try {
      const sdp = await this.media.offer(choice);
      if (this.#is("ended")) return;
      const { callType, person } = this;
      await this.#link.request(
        { type: "call_initiate", idempotencyKey: commandId, calleeIds: [person.userId], callType, sdp },
        null,
        commandId,
      );
    } catch (error) {
      this.#fail(errorCode(error));
    }
  }

  /** Tells that this device really rings: only then does the caller hear ringing. */
  alerting(): void {
    if (this.#id !== null && this.#is("incoming")) this.#send({ type: "call_alerting", callId: this.#id });
  }

  /**
   * Takes an incoming call. The call rings on when the microphone cannot be opened.
   * @throws SwitchboardError `microphone_denied` or `microphone_missing`, or what the server answered
   */
  async answer(choice: MediaChoice): Promise<void> {
    const callId = this.#id;
    if (callId === null || !this.#is("incoming")) return;
    this.#step({ type: "answering" });
    this.#link.attach(callId);
    const sdp = await this.#openAnswer(choice);
    if (!this.#is("answering")) return;
    this.media.release();
    await this.#link
      .request({ type: "call_answer", callId, ...(sdp !== undefined && { sdp }) }, callId)
      .catch((error) => {
        // The server may have taken the answer: nobody is to wait for this device.
        this.#leave({ type: "call_end", callId }, { kind: "failed", code: errorCode(error) });
        throw error;
      });
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
    else if (this.#id === null) this.#step({ type: "ended", ending });
    else this.#leave({ type: "call_end", callId: this.#id }, ending);
  }

  /** A message of the server about this call. */
  handle(message: ServerMessage): void {
    if (message.type === "call_initiated") this.#initiated(message);
    if (this.#is("ended")) return;
    this.#step({ type: "heard", message, at: this.#link.now() });
    if (this.#path) this.#step({ type: "media", state: this.#path });
    void this.#feed(message);
  }

  /** This device's sockets are back: what it missed is asked for, and a broken path renewed. */
  resumed(): void {
    if (this.#id !== null && !this.#is("ended")) void this.#command({ type: "call_sync", callId: this.#id });
    this.media.recover();
  }

  #initiated(message: ServerMessageOf<"call_initiated">): void {
    if (this.#id !== null) return;
    this.#id = message.callId;
    // Hung up before the server had a name for the call: it is told now.
    if (this.#is("ended")) {
      void this.#command({ type: "call_end", callId: message.callId });
      return;
    }
    this.#link.attach(message.callId);
    this.media.release(CALL_SOCKET_MS);
  }

  async #feed(message: ServerMessage): Promise<void> {
    switch (message.type) {
      case "call_connected":
      case "call_state":
        if (!isAnswered(this.#phase)) return;
        return this.media.established(this.direction === "outgoing" ? message.sdp : undefined);
      case "ice_candidate":
        return this.media.addCandidates(message.candidates, message.endOfCandidates ?? false);
      case "call_negotiate":
        return this.media.describe({ sdpType: message.sdpType, sdp: message.sdp });
    }
  }

  #describe({ sdpType, sdp }: Description): void {
    if (this.#id !== null) this.#send({ type: "call_negotiate", callId: this.#id, sdpType, sdp });
  }

  /** The microphone first: a call that cannot be taken here rings on. */
  async #openAnswer(choice: MediaChoice): Promise<string | undefined> {
    try {
      return await this.media.answer(choice, this.#offer);
    } catch (error) {
      this.media.reset();
      this.#step({ type: "answer_failed" });
      throw error instanceof SwitchboardError ? error : new SwitchboardError("internal", String(error));
    }
  }

  #refuse(reason: DeclineReason, ending: Ending): void {
    if (this.#id !== null && this.#is("incoming"))
      this.#leave({ type: "call_decline", callId: this.#id, reason }, ending);
  }

  /** Over at once here; the server hears of it as soon as it can be reached. */
  #leave(message: InCall, ending: Ending): void {
    if (this.#is("ended")) return;
    this.#farewell = this.#command(message);
    this.#step({ type: "ended", ending });
  }

  #rangOut(): void {
    const ending: Ending = { kind: "cancelled", reason: "timed_out", byDevice: null };
    if (this.#is("incoming")) this.#step({ type: "ended", ending });
  }

  #fail(code: SwitchboardErrorCode): void {
    this.#step({ type: "ended", ending: { kind: "failed", code } });
  }

  #send(message: InCall): void {
    if (!this.#is("ended")) this.#link.send(message);
  }

  /** A command whose reply, if it matters, comes as a message about the call. */
  async #command(message: InCall): Promise<void> {
    try {
      await this.#link.request(message, this.#id);
    } catch (error) {
      if (message.type === "call_sync" && errorCode(error) === "call_not_found") this.#fail("call_not_found");
    }
  }

  #is(kind: CallPhase["kind"]): boolean {
    return this.#phase.kind === kind;
  }

  #step(event: CallEvent): void {
    const before = this.#phase;
    this.#phase = reduce(before, event, { direction: this.direction, deviceId: this.#link.deviceId });
    if (this.#phase === before) return;
    if (this.#is("ended")) this.#close();
    this.changed.emit(this);
  }

  #close(): void {
    clearTimeout(this.#ringing);
    this.media.close();
    void this.#farewell.then(() => this.#link.release(this.#id));
  }
}
