import type { PresenceResponse } from "../../schema/http.ts";
import { failure, log, short } from "../log.ts";
import type { Event } from "./user.ts";

interface Source {
  readonly watchers: () => readonly string[];
  /** As that watcher may see it. */
  readonly presence: (watcher: string) => PresenceResponse;
  readonly step: (event: Event) => void;
}

/** Tells those who watch a user when they come and go; who does not watch any more is forgotten. */
export class Watchers {
  readonly #ctx: DurableObjectState;
  readonly #users: Env["USERS"];
  readonly #source: Source;

  constructor(ctx: DurableObjectState, users: Env["USERS"], source: Source) {
    this.#ctx = ctx;
    this.#users = users;
    this.#source = source;
  }

  tellAll(): void {
    for (const watcher of this.#source.watchers()) this.#ctx.waitUntil(this.tell(watcher));
  }

  async tell(watcher: string): Promise<void> {
    try {
      const watches = await this.#users.getByName(watcher).presenceChanged(this.#source.presence(watcher));
      this.#source.step({ type: watches ? "watched" : "unwatched", by: watcher });
    } catch (error) {
      log("watcher_unreachable", { user: short(watcher), failure: failure(error) });
    }
  }
}
