import { setTimeout as delay } from "node:timers/promises";
import { neon, neonConfig } from "@neondatabase/serverless";
import * as z from "zod";

/** How long the history may lag behind the calls, and how often it is looked at, in ms. */
const LAG_MS = 30_000;
const LOOK_MS = 100;

const Counted = z.tuple([z.object({ over: z.int(), completed: z.int() })]);
type Counted = z.infer<typeof Counted>[0];

/** What the database holds of the calls since the last `begin`. */
export class History {
  readonly #neonLocal: string;
  readonly #databaseUrl: string;
  #before: Promise<Counted> | undefined;
  #calls = 0;

  constructor({ neonLocal, databaseUrl }: { readonly neonLocal: string; readonly databaseUrl: string }) {
    this.#neonLocal = neonLocal;
    this.#databaseUrl = databaseUrl;
  }

  /** To be called before the first call is made. */
  async begin(): Promise<void> {
    this.#calls = 0;
    this.#before = this.#count();
    await this.#before;
  }

  /**
   * Resolves when these calls, and all that were awaited before, are over in the history too, or are late with that.
   * @returns all that are there as completed
   */
  async await(calls: number): Promise<number> {
    this.#calls += calls;
    const before = await this.#before;
    if (!before) throw new Error("the history was not begun");
    const patience = performance.now() + LAG_MS;
    for (;;) {
      const { over, completed } = await this.#count();
      if (over - before.over >= this.#calls || performance.now() > patience) return completed - before.completed;
      await delay(LOOK_MS);
    }
  }

  async #count(): Promise<Counted> {
    neonConfig.fetchEndpoint = `http://${this.#neonLocal}/sql`;
    const sql = neon(this.#databaseUrl);
    const rows = await sql`
      select count(*)::int as over, count(*) filter (where outcome = 'completed')::int as completed
      from calls where state = 'ended'`;
    return Counted.parse(rows)[0];
  }
}
