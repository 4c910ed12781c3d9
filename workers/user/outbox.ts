import { failure, log } from "../log.ts";
import type { Core } from "./core.ts";
import type { User } from "./state.ts";
import { isOutboxOverdue } from "./user.ts";

/** Tells the ledger what it has not confirmed. */
export class Outbox {
  readonly #queue: Env["LEDGER"];
  readonly #core: Core;
  readonly #retryMs: number;

  constructor(queue: Env["LEDGER"], core: Core, retryMs: number) {
    this.#queue = queue;
    this.#core = core;
    this.#retryMs = retryMs;
  }

  /** What is new in it. */
  tell(before: User["outbox"]): void {
    const { user, waitUntil } = this.#core;
    const events = Object.entries(user().outbox).flatMap(([key, event]) => (before[key] === event ? [] : [event]));
    if (events.length === 0) return;
    const sent = this.#queue.sendBatch(events.map((body) => ({ body })));
    waitUntil(sent.catch((error: unknown) => log("ledger_unreachable", { failure: failure(error) })));
  }

  /** All of it, if the ledger has had its time. */
  tellAgain(now: number): void {
    if (!isOutboxOverdue(this.#core.user(), now, this.#retryMs)) return;
    this.#core.step({ type: "ledger_told" });
    this.tell({});
  }
}
