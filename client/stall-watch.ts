import type { QualitySample } from "./quality.ts";

/** How often it is looked. Who sends nothing to hear sends comfort noise more often (RFC 3389, RFC 7587: 400 ms). */
const LOOK_MS = 1_000;
/** So often in a row packets came: from then on it says something that none do. */
const STEADY = 3;

export interface Flow {
  /** Packets received so far. */
  readonly received: number;
  /** In a row with new packets, up to `STEADY`; what was steady stays so until the stall is told. */
  readonly steady: number;
  /** In a row without. */
  readonly silent: number;
}

export const NO_FLOW: Flow = { received: 0, steady: 0, silent: 0 };

/** What follows: the path is in doubt, it carries nothing, or it is as it was. */
export type Finding = "doubt" | "stall" | "flow" | null;

/**
 * One more look at what was received. Pure.
 * @param patience how many looks without a packet are a stall
 */
export function look(flow: Flow, received: number, patience: number): { flow: Flow; finding: Finding } {
  if (received > flow.received) {
    const steady = Math.min(STEADY, flow.steady + 1);
    return { flow: { received, steady, silent: 0 }, finding: flow.silent > 0 ? "flow" : null };
  }
  const silent = flow.silent + 1;
  if (flow.steady < STEADY) return { flow: { received, steady: 0, silent }, finding: null };
  if (silent >= patience) return { flow: { received, steady: 0, silent }, finding: "stall" };
  return { flow: { ...flow, silent }, finding: "doubt" };
}

interface StallWatchOptions {
  readonly sample: () => Promise<Pick<QualitySample, "received">>;
  /** Whether anything is to come: on hold nothing is. */
  readonly isExpected: () => boolean;
  /** The side that is to wait for the other one waits one look longer. */
  readonly isPolite: boolean;
  /** It has just stopped: what a renewal needs can be made ready. */
  readonly doubted: () => void;
  readonly stalled: () => void;
  /** It goes on, or is no longer watched: there is no doubt any more. */
  readonly flows: () => void;
}

/**
 * Finds within 2 s that a path which carried a call carries nothing any more. Browsers take 5 s and more to say so, and
 * where the network changes behind a router nothing else tells. A false alarm costs a renewal beside the old path.
 */
export class StallWatch {
  readonly #options: StallWatchOptions;
  #timer: ReturnType<typeof setInterval> | undefined;
  #flow = NO_FLOW;

  constructor(options: StallWatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer ??= setInterval(() => void this.#look(), LOOK_MS);
  }

  /** Something is being done about it: counts anew. */
  wait(): void {
    this.#begin({ ...this.#flow, silent: 0 });
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#flow = NO_FLOW;
  }

  async #look(): Promise<void> {
    // A connection that was closed meanwhile has no statistics.
    const sample = await this.#options.sample().catch(() => null);
    if (!sample || this.#timer === undefined) return;
    const { flow, finding } = look(this.#flow, sample.received, this.#options.isPolite ? 3 : 2);
    if (!this.#options.isExpected()) return this.#begin({ ...NO_FLOW, received: sample.received });
    this.#flow = flow;
    this.#tell(finding);
  }

  /** A doubt is taken back: what was made ready for it would be old when it is needed. */
  #begin(flow: Flow): void {
    if (this.#flow.silent > 0) this.#options.flows();
    this.#flow = flow;
  }

  #tell(finding: Finding): void {
    switch (finding) {
      case "doubt":
        this.#options.doubted();
        break;
      case "stall":
        this.#options.stalled();
        break;
      case "flow":
        this.#options.flows();
        break;
      case null:
        break;
    }
  }
}
