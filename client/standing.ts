import type { ServerMessage } from "../schema/server-messages.ts";
import type { CallLink } from "./call-link.ts";
import type { CallOptions } from "./call-options.ts";
import { type CallEvent, type CallPhase, type Ending, isAnswered, reduce, type Self } from "./call-state.ts";
import { type Holds, NOBODY_HOLDS, withHold } from "./holds.ts";
import { RevisionGap } from "./revision-gap.ts";

interface StandingEvents {
  /** The phase, or who holds, is another one. */
  changed(): void;
  ended(): void;
}

/** Where a call stands on this device: its phase, who has put it on hold, and whether something was missed. */
export class Standing {
  readonly #link: CallLink;
  readonly #events: StandingEvents;
  readonly #gap = new RevisionGap();
  #phase: CallPhase;
  #holds: Holds = NOBODY_HOLDS;
  /** Who gave way to a call in the other direction is the one who answers. */
  #answers: Self["direction"];
  /** Media may flow before the word that the call was answered is here. */
  #path: "connected" | "recovering" | null = null;
  /** The other side has lost its path, and this one's need not have noticed. */
  #isPeerLost = false;

  constructor({ link, direction, movingSince }: CallOptions, events: StandingEvents) {
    this.#link = link;
    this.#events = events;
    this.#answers = direction;
    this.#phase = { kind: direction === "outgoing" ? "initiating" : "incoming" };
    if (movingSince !== undefined) this.#phase = { kind: "moving", since: movingSince };
  }

  get self(): Self {
    const { deviceId, userId } = this.#link;
    return { direction: this.#answers, deviceId, userId };
  }

  get phase(): CallPhase {
    return this.#phase;
  }

  get holds(): Holds {
    return this.#holds;
  }

  get isAnswered(): boolean {
    return isAnswered(this.#phase);
  }

  is(kind: CallPhase["kind"]): boolean {
    return this.#phase.kind === kind;
  }

  step(event: CallEvent): void {
    const before = this.#phase;
    this.#phase = reduce(before, event, this.self);
    if (this.#phase === before) return;
    if (this.is("ended")) this.#events.ended();
    this.#events.changed();
  }

  end(ending: Ending): void {
    this.step({ type: "ended", ending });
  }

  /** @returns whether something that was said before has been missed */
  hear(message: ServerMessage): boolean {
    this.step({ type: "heard", message, at: this.#link.now() });
    if (message.type === "call_state") this.#isPeerLost = message.state === "reconnecting";
    this.#followPath();
    this.#held(withHold(this.#holds, message, this.#link.userId));
    return this.#gap.isBehind(message) && this.isAnswered;
  }

  path(state: "connected" | "recovering"): void {
    // Its own way is back, so the other side's is: both are one.
    if (state === "connected" && this.#path === "recovering") this.#isPeerLost = false;
    this.#path = state;
    this.#followPath();
  }

  /** By this user. */
  hold(isOn: boolean): void {
    this.#held({ ...this.#holds, since: isOn ? this.#link.now() : null });
  }

  /** The call goes on as the one in the other direction, whose revisions are its own. */
  givesWay(): void {
    this.#answers = "incoming";
    this.#gap.reset();
  }

  #followPath(): void {
    if (this.#path) this.step({ type: "media", state: this.#isPeerLost ? "recovering" : this.#path });
  }

  #held(holds: Holds): void {
    if (holds === this.#holds) return;
    this.#holds = holds;
    this.#events.changed();
  }
}
