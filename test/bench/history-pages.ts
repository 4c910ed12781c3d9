import { neon, neonConfig } from "@neondatabase/serverless";
import * as z from "zod";
import type { HistoryQuery } from "../../schema/http.ts";
import { encodeCursor } from "../../workers/ledger/cursor.ts";
import { type Database, openDatabase } from "../../workers/ledger/database.ts";
import { listCalls } from "../../workers/ledger/history.ts";
import { BUSIEST, fillHistory, type HistorySize, positionOf } from "./history-rows.ts";
import { type Percentiles, percentiles, rounded } from "./statistics.ts";

export interface HistoryPlan {
  readonly size: HistorySize;
  /** How many pages of each kind are timed. */
  readonly pages: number;
}

export interface PageTimes {
  readonly what: string;
  readonly pages: number;
  readonly calls: number;
  readonly ms: Percentiles;
}

/** What pages of a long history take. */
export interface HistoryFigures {
  readonly postgres: string;
  readonly entries: number;
  readonly entriesOfOne: number;
  readonly fillSeconds: number;
  readonly kinds: readonly PageTimes[];
}

/** What a page may take, in ms. */
export const PAGE_BUDGET = 20;

type Filter = Pick<HistoryQuery, "outcome" | "direction">;

interface Kind {
  readonly what: string;
  readonly filter: Filter;
  /** Where the first page begins: this share of the calls is newer. */
  readonly depth: number;
}

const KINDS: readonly Kind[] = [
  { what: "newest", filter: {}, depth: 0 },
  { what: "outcome=missed", filter: { outcome: "missed" }, depth: 0 },
  { what: "outcome=busy, one of 1,000", filter: { outcome: "busy" }, depth: 0 },
  { what: "outcome=blocked", filter: { outcome: "blocked" }, depth: 0 },
  { what: "direction=incoming", filter: { direction: "incoming" }, depth: 0 },
  { what: "outcome=missed direction=incoming", filter: { outcome: "missed", direction: "incoming" }, depth: 0 },
  { what: "cursor behind 90% of the calls", filter: {}, depth: 0.9 },
  { what: "the same, outcome=missed", filter: { outcome: "missed" }, depth: 0.9 },
  { what: "the same, direction=outgoing", filter: { direction: "outgoing" }, depth: 0.9 },
];

const WARM_UP: Kind = { what: "warm-up", filter: {}, depth: 0 };

const Facts = z.tuple([z.object({ version: z.string(), entries: z.coerce.number(), entriesOfOne: z.coerce.number() })]);

/** Fills an empty database and reads pages as the Worker does: through the driver, one request each. */
export async function measureHistory(
  database: { readonly neonLocal: string; readonly databaseUrl: string },
  { size, pages }: HistoryPlan,
  say: (line: string) => void,
): Promise<HistoryFigures> {
  const { neonLocal, databaseUrl } = database;
  neonConfig.fetchEndpoint = `http://${neonLocal}/sql`;
  const sql = neon(databaseUrl);
  say(`history: filling it with ${size.calls} calls`);
  const started = performance.now();
  await fillHistory(sql, size, say);
  const fillSeconds = rounded((performance.now() - started) / 1000);
  const facts = await sql`
    select current_setting('server_version') as version, count(*)::int as entries,
      (count(*) filter (where user_id = ${BUSIEST}))::int as "entriesOfOne"
    from call_participants`;
  const [{ version, ...counts }] = Facts.parse(facts);
  say("history: reading pages");
  // Only now: it limits how long any answer may take, and filling takes longer.
  const db = openDatabase({ DATABASE_URL: databaseUrl, NEON_LOCAL: neonLocal });
  await timePages(db, WARM_UP, size.calls, pages);
  const kinds: PageTimes[] = [];
  for (const kind of KINDS) kinds.push(await timePages(db, kind, size.calls, pages));
  return { postgres: version, ...counts, fillSeconds, kinds };
}

/** One page after the other, as somebody scrolls; from the first again after the last. */
async function timePages(
  db: Database,
  { what, filter, depth }: Kind,
  total: number,
  pages: number,
): Promise<PageTimes> {
  const first = depth === 0 ? undefined : encodeCursor(positionOf(Math.ceil(total * (1 - depth))));
  const times: number[] = [];
  let calls = 0;
  let cursor: string | undefined = first;
  for (let i = 0; i < pages; i++) {
    const started = performance.now();
    const page = await listCalls(db, BUSIEST, { limit: 20, ...filter, cursor });
    times.push(performance.now() - started);
    calls += page.calls.length;
    cursor = page.nextCursor ?? first;
  }
  return { what, pages, calls, ms: percentiles(times) };
}
