import type { IceCandidate } from "../schema/client-messages.ts";

export interface CandidateBatch {
  readonly candidates: IceCandidate[];
  readonly endOfCandidates: boolean;
}

/** Long enough to catch a burst of host candidates, too short to be felt. */
const WINDOW_MS = 100;
/** What the wire takes in one message. */
const MAX_BATCH = 64;

/** Gathers trickled candidates (RFC 8838) into few messages; holds them until somebody can hear. */
export class CandidateBatcher {
  readonly #send: (batch: CandidateBatch) => void;
  #waiting: IceCandidate[] = [];
  #ended = false;
  #held = true;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(send: (batch: CandidateBatch) => void) {
    this.#send = send;
  }

  /** @param candidate null when gathering is complete */
  add(candidate: IceCandidate | null): void {
    if (candidate) this.#waiting.push(candidate);
    else this.#ended = true;
    if (!this.#held) this.#schedule();
  }

  /**
   * The call has an id now: what was gathered goes out.
   * @param afterMs where nobody waits for it yet: time for the call's own socket, on which it costs a twentieth
   */
  release(afterMs = 0): void {
    this.#held = false;
    if (afterMs === 0) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), afterMs);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#held = true;
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => this.#flush(), WINDOW_MS);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#waiting.length > 0 || this.#ended) {
      const candidates = this.#waiting.splice(0, MAX_BATCH);
      const endOfCandidates = this.#ended && this.#waiting.length === 0;
      if (endOfCandidates) this.#ended = false;
      this.#send({ candidates, endOfCandidates });
    }
  }
}
