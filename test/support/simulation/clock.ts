/** What is due, and when: the only clock of a simulation. */
export class Clock {
  now: number;
  /** In the order in which they are due; of two at the same time the one that was asked for first. */
  readonly #due: Entry[] = [];

  constructor(now: number) {
    this.now = now;
  }

  /** @returns how to call it off */
  after(ms: number, run: () => void): () => void {
    return this.at(this.now + ms, run);
  }

  /** @returns how to call it off */
  at(time: number, run: () => void): () => void {
    const entry = { time: Math.max(time, this.now), run };
    const next = this.#due.findLastIndex((other) => other.time <= entry.time) + 1;
    this.#due.splice(next, 0, entry);
    return () => {
      const index = this.#due.indexOf(entry);
      if (index >= 0) this.#due.splice(index, 1);
    };
  }

  /** Resolves after that long. */
  wait(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  /** Lets everything happen that is due until then, one after the other. */
  async runUntil(time: number): Promise<void> {
    await settled();
    for (let next = this.#due[0]; next && next.time <= time; next = this.#due[0]) {
      this.#due.shift();
      this.now = next.time;
      next.run();
      await settled();
    }
    this.now = time;
  }
}

interface Entry {
  readonly time: number;
  readonly run: () => void;
}

const immediately = setImmediate;

/** Everything that waits for nothing but other promises has gone on. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    immediately(resolve);
  });
}
