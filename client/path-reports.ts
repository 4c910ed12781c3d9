import type { CallType } from "../schema/call.ts";
import { MAX_REPORTED_MS, type MediaReport, type SetupTimes } from "../schema/media-report.ts";
import type { PathState } from "./peer.ts";
import { hasArrived, type StatsSource, selectedPath } from "./stats.ts";

/** How often it is looked whether the first frame is there: the error of what is told. */
const LOOK_MS = 50;
/** A call whose other side sends nothing for this long has no first frame to tell of. */
const PATIENCE_MS = 10_000;

export interface PathReport extends MediaReport {
  readonly state: PathState;
}

interface PathReportsOptions {
  readonly callType: CallType;
  /** Unix ms, or any other clock that does not jump. */
  readonly now: () => number;
  /** Of the connection in use; null while there is none. */
  readonly stats: () => Promise<StatsSource | null>;
  readonly send: (report: PathReport) => void;
}

/** Tells the server how this device's media travels and how long it took: when it is up, and at the first frame. */
export class PathReports {
  readonly #options: PathReportsOptions;
  #began: number;
  #setup: SetupTimes = {};
  #state: PathState | null = null;
  #isWatching = false;

  constructor(options: PathReportsOptions) {
    this.#options = options;
    this.#began = options.now();
  }

  /** The user has joined, or taken the call over: what went before on this device was not its set-up. */
  begins(): void {
    this.#began = this.#options.now();
    this.#setup = {};
  }

  /** The first time counts. */
  mark(milestone: keyof SetupTimes): void {
    if (this.#setup[milestone] !== undefined) return;
    const ms = Math.round(this.#options.now() - this.#began);
    if (ms >= 0 && ms <= MAX_REPORTED_MS) this.#setup = { ...this.#setup, [milestone]: ms };
  }

  pathIs(state: PathState): void {
    this.#state = state;
    if (state === "connected") void this.#connected();
    else this.#options.send({ state });
  }

  close(): void {
    this.#state = null;
  }

  async #connected(): Promise<void> {
    this.mark("iceConnectedMs");
    await this.#tell();
    if (!this.#isWatching && this.#setup.firstFrameMs === undefined) await this.#watch();
  }

  /** What has changed while the statistics were read was told before. */
  async #tell(): Promise<void> {
    const stats = await this.#stats();
    const path = stats ? selectedPath(stats) : {};
    if (this.#state === "connected") this.#options.send({ state: "connected", ...path, setup: this.#setup });
  }

  async #watch(): Promise<void> {
    this.#isWatching = true;
    const kind = this.#options.callType === "audio" ? "audio" : "video";
    for (let waited = 0; waited < PATIENCE_MS && this.#state !== null; waited += LOOK_MS) {
      const stats = await this.#stats();
      if (stats && hasArrived(stats, kind)) {
        this.mark("firstFrameMs");
        await this.#tell();
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    this.#isWatching = false;
  }

  /** A connection that was closed meanwhile has none. */
  async #stats(): Promise<StatsSource | null> {
    return this.#options.stats().catch(() => null);
  }
}
