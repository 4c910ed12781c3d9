import { type CallEvent, type CallPhase, isAnswered, reduce, type Self } from "../../../client/call-state.ts";
import { type Holds, NOBODY_HOLDS, withHold } from "../../../client/holds.ts";
import { RevisionGap } from "../../../client/revision-gap.ts";
import type { ServerMessage } from "../../../schema/server-messages.ts";

/** What a device takes itself to be for a call: all that its user would notice. */
export type Belief = "idle" | "rings" | "calls" | "talks";

const BELIEFS: Readonly<Record<CallPhase["kind"], Belief>> = {
  initiating: "calls",
  reaching: "calls",
  ringing: "calls",
  incoming: "rings",
  answering: "talks",
  moving: "talks",
  connecting: "talks",
  connected: "talks",
  reconnecting: "talks",
  ended: "idle",
};

/** One call as a device lives it, by the pure parts of the SDK. */
export class BareCall {
  phase: CallPhase;
  holds: Holds = NOBODY_HOLDS;
  readonly self: Self;
  /** The latest revision of which it had heard when it was over for this device. */
  overSince = 0;
  #rev = 0;
  readonly #gap = new RevisionGap();

  constructor(phase: CallPhase, self: Self) {
    this.phase = phase;
    this.self = self;
  }

  get belief(): Belief {
    return BELIEFS[this.phase.kind];
  }

  get isOver(): boolean {
    return this.phase.kind === "ended";
  }

  /** Not on the device on which the user pressed "ignore". */
  get mayRing(): boolean {
    return this.phase.kind === "ended" && this.phase.ending.kind !== "ignored";
  }

  get isAnswered(): boolean {
    return isAnswered(this.phase);
  }

  step(event: CallEvent): void {
    const wasOver = this.isOver;
    this.phase = reduce(this.phase, event, this.self);
    if (this.isOver && !wasOver) this.overSince = this.#rev;
  }

  /** @returns whether something about the call has been missed */
  hear(message: ServerMessage, at: number): boolean {
    // The replies to an answer and to a hang-up may cross.
    if (this.isOver && message.type === "call_ended") this.overSince = Math.max(this.overSince, message.rev);
    if (this.isOver) return false;
    if ("rev" in message) this.#rev = Math.max(this.#rev, message.rev);
    this.step({ type: "heard", message, at });
    this.holds = withHold(this.holds, message, this.self.userId);
    return this.#gap.isBehind(message) && this.isAnswered;
  }
}
