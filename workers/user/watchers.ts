import type { PresenceResponse } from "../../schema/http.ts";
import { failure, log, short } from "../log.ts";
import type { Event } from "./user.ts";

interface Source {
  readonly watchers: () => readonly string[];
  /** To whom nothing may change: a message would say that something did, whatever it holds. */
  readonly isBlocked: (watcher: string) => boolean;
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
    const told = this.#source.watchers().filter((watcher) => !this.#source.isBlocked(watcher));
    for (const watcher of told) this.#ctx.waitUntil(this.tell(watcher));
  }

  /** Asks whether they still care. Who is blocked is not asked, for they would hear it: they are forgotten. */
  async refresh(stale: readonly string[]): Promise<void> {
    for (const by of stale.filter(this.#source.isBlocked)) this.#source.step({ type: "unwatched", by });
    await Promise.all(stale.filter((watcher) => !this.#source.isBlocked(watcher)).map((watcher) => this.tell(watcher)));
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
