/** Between two restarts: what one takes over a long way. */
const AGAIN_MS = 1_500;

interface PathRenewalOptions {
  /** Restarts ICE, once the server can be reached. */
  readonly restart: () => Promise<void>;
  /** The browser takes the path for a good one. */
  readonly isConnected: () => boolean;
  /** On hold nothing comes, and nothing shows that the path works. */
  readonly expectsMedia: () => boolean;
  readonly mediaReturns: (withinMs: number) => Promise<boolean>;
  readonly recovering: () => void;
  /** It ended, and the browser may have noticed nothing of it all. */
  readonly over: () => void;
}

/**
 * Renews a path that the browser still takes for a good one: it needs seconds to notice that it is gone, and if it never
 * does, it says nothing of the new one.
 */
export class PathRenewal {
  readonly #options: PathRenewalOptions;
  #left = 0;
  #isRunning = false;

  constructor(options: PathRenewalOptions) {
    this.#options = options;
  }

  /** @param restarts until media returns, at most; what runs already goes on for as many */
  async renew(restarts: number): Promise<void> {
    this.#left = Math.max(this.#left, restarts);
    if (this.#isRunning) return;
    this.#isRunning = true;
    await this.#run();
    this.#isRunning = false;
    this.#left = 0;
  }

  async #run(): Promise<void> {
    const { restart, isConnected, expectsMedia, mediaReturns, recovering, over } = this.#options;
    for (let isFirst = true; this.#left > 0; isFirst = false) {
      this.#left--;
      await restart();
      if (!isConnected()) return;
      if (isFirst) recovering();
      if (!expectsMedia() || (await mediaReturns(AGAIN_MS))) break;
    }
    if (isConnected()) over();
  }
}
