/** How long one receiver hears nothing of each of the others, and nothing at all; in ms. */
export class Arrivals {
  #last = new Map<number, number>();
  #longest = new Map<number, number>();
  #lastOfAny = Number.NaN;
  #longestOfAny = 0;

  heard(tag: number): void {
    const now = performance.now();
    const last = this.#last.get(tag);
    if (last !== undefined) this.#longest.set(tag, Math.max(this.#longest.get(tag) ?? 0, now - last));
    this.#last.set(tag, now);
    if (now - this.#lastOfAny > this.#longestOfAny) this.#longestOfAny = now - this.#lastOfAny;
    this.#lastOfAny = now;
  }

  /** Only gaps that end from now on count. */
  reset(): void {
    this.#longest.clear();
    this.#longestOfAny = 0;
  }

  /** Those of whom something has come since. */
  heardSince(at: number): number {
    return [...this.#last.values()].filter((last) => last > at).length;
  }

  get longest(): number {
    return this.#longestOfAny;
  }

  /** One for each of the others. */
  get longestOfEach(): readonly number[] {
    return [...this.#longest.values()];
  }
}
