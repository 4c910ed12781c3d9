import { GOOD, judge, type Quality, type QualitySample } from "./quality.ts";

interface QualityWatchOptions {
  /** Undefined while there is no connection. */
  readonly sample: () => Promise<QualitySample> | undefined;
  /** It has become poor, or good again. */
  readonly changed: () => void;
}

/** How often a connection is judged. More often costs battery, less often warns late. */
const SAMPLE_MS = 2_000;

/** Judges a connection for as long as it is there. */
export class QualityWatch {
  readonly #options: QualityWatchOptions;
  #quality: Quality = GOOD;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(options: QualityWatchOptions) {
    this.#options = options;
  }

  get isPoor(): boolean {
    return this.#quality.isPoor;
  }

  start(): void {
    this.#timer ??= setInterval(() => void this.#sample(), SAMPLE_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #sample(): Promise<void> {
    // A connection that was closed meanwhile has no statistics.
    const sample = await this.#options.sample()?.catch(() => null);
    if (!sample) return;
    const before = this.isPoor;
    this.#quality = judge(this.#quality, sample);
    if (this.isPoor !== before) this.#options.changed();
  }
}
