import { Random } from "./random.ts";

/**
 * Delays what objects ask of each other by random turns, so that a race is played in many orders. The turns come
 * from a seed; all objects of a test share one isolate, so a change to a class reaches each of them.
 */
export class Delays {
  readonly #random: Random;
  readonly #undo: (() => void)[] = [];

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  /** Lets others go first, 0 to 4 times. */
  async wait(): Promise<void> {
    for (let turns = this.#random.below(5); turns > 0; turns--) await new Promise((resolve) => setTimeout(resolve, 0));
  }

  before(prototype: object, methods: readonly string[]): void {
    for (const method of methods) {
      const original: unknown = Reflect.get(prototype, method);
      if (typeof original !== "function") throw new Error(`there is no method ${method}`);
      const wait = () => this.wait();
      const delayed = async function (this: object, ...given: unknown[]): Promise<unknown> {
        await wait();
        return Reflect.apply(original, this, given);
      };
      Reflect.set(prototype, method, delayed);
      this.#undo.push(() => Reflect.set(prototype, method, original));
    }
  }

  remove(): void {
    for (const undo of this.#undo) undo();
  }
}
