import type { IceCandidate } from "../schema/client-messages.ts";

export interface CandidateBatch {
  readonly candidates: IceCandidate[];
  readonly endOfCandidates: boolean;
}

/** Long enough to catch a burst of host candidates, too short to be felt. */
const WINDOW_MS = 100;
/** What the wire takes in one message, and in characters, with room for what is around them. */
const MAX_BATCH = 64;
const MAX_SIZE = 7_500;
/** A few gather for the whole ring; what an ICE restart gathers later is not repeated. */
const MAX_SENT = 16;

/** Gathers trickled candidates (RFC 8838) into few messages; holds them until somebody can hear. */
export class CandidateBatcher {
  readonly #send: (batch: CandidateBatch) => void;
  #waiting: IceCandidate[] = [];
  #ended = false;
  #sent: CandidateBatch[] = [];
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

  /** What has gone out may have been lost with the edge's memory, while nobody had answered. */
  repeat(): void {
    for (const batch of this.#sent) this.#send(batch);
  }

  /** Somebody has answered, and has what has gone out. */
  arrived(): void {
    this.#sent = [];
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#held = true;
    this.#sent = [];
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => this.#flush(), WINDOW_MS);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#waiting.length > 0 || this.#ended) {
      const candidates = this.#waiting.splice(0, fitting(this.#waiting));
      const endOfCandidates = this.#ended && this.#waiting.length === 0;
      if (endOfCandidates) this.#ended = false;
      const batch = { candidates, endOfCandidates };
      this.#sent = [...this.#sent, batch].slice(-MAX_SENT);
      this.#send(batch);
    }
  }
}

/** How many of the first ones go into one message; one always does. */
function fitting(candidates: readonly IceCandidate[]): number {
  let size = 0;
  const tooMany = candidates.findIndex((candidate, at) => {
    size += JSON.stringify(candidate).length + 1;
    return at > 0 && (size > MAX_SIZE || at >= MAX_BATCH);
  });
  return tooMany < 0 ? candidates.length : tooMany;
}
