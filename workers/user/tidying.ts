import { failure, log, short } from "../log.ts";
import type { Core } from "./core.ts";
import { MAX_STALE, staleCalls } from "./stale.ts";

/** Keeps the user's row short: one question for each call that is over, and a row for every few of them. */
export class Tidying {
  readonly #core: Core;
  #isAtIt = false;

  constructor(core: Core) {
    this.#core = core;
  }

  begin(): void {
    const stale = staleCalls(this.#core.user(), Date.now());
    if (this.#isAtIt || stale.length < MAX_STALE) return;
    this.#isAtIt = true;
    this.#core.waitUntil(this.#tidy(stale));
  }

  async #tidy(stale: readonly string[]): Promise<void> {
    const asked = stale.map((callId) =>
      this.#core.look(callId).catch((error: unknown) => {
        log("call_unreachable", { call: short(callId), failure: failure(error) });
      }),
    );
    await Promise.all(asked);
    this.#core.step({ type: "tidied" });
    this.#isAtIt = false;
  }
}
