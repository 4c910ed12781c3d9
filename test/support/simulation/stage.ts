import { afterAll, beforeAll } from "vitest";
import { Cast } from "./cast.ts";
import { Chorus } from "./chorus.ts";
import { installGlobals, removeGlobals } from "./globals.ts";
import { disagreements, otherReplies, untruths, winners } from "./invariants.ts";
import type { Weather } from "./network.ts";
import { type ObjectClasses, objectClasses } from "./world.ts";

/** From the last trouble until everybody has heard of everything: a reconnection, a repeated delivery, a late socket. */
const SETTLED_MS = 12_000;
/** Every ring and every limit of the protocol but the long ones is over by then. */
const QUIET_MS = 35_000;

/** Where simulations of one test file are played. */
export class Stage {
  #classes: ObjectClasses | null = null;

  constructor() {
    beforeAll(async () => {
      this.#classes = await objectClasses();
      installGlobals();
    });
    afterAll(removeGlobals);
  }

  cast(seed: number, weather?: Weather): Cast {
    return new Cast(this.#open, seed, weather);
  }

  chorus(seed: number): Chorus {
    return new Chorus(this.#open, seed);
  }

  get #open(): ObjectClasses {
    if (!this.#classes) throw new Error("the stage is not open yet");
    return this.#classes;
  }
}

/** Lets a played script settle, and then everything ring out. @returns what does not hold, in words */
export async function wrongAfter(cast: Cast): Promise<string[]> {
  await cast.world.runFor(SETTLED_MS);
  const soon = await disagreements(cast);
  await cast.world.runFor(QUIET_MS);
  const later = await disagreements(cast);
  return [
    ...soon.map((wrong) => `soon: ${wrong}`),
    ...later.map((wrong) => `in the end: ${wrong}`),
    ...untruths(cast),
    ...otherReplies(cast),
    ...winners(cast),
    ...cast.world.failures,
  ];
}
