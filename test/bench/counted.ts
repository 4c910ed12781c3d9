import { setTimeout as delay } from "node:timers/promises";
import { READING_PATH, type Reading, Reading as ReadingSchema, ROWS_PATH, RowsPerWrite } from "./counting/tally.ts";
import { Answer, LoadResult } from "./load/protocol.ts";
import type { Plan } from "./plan.ts";
import type { Rig } from "./rig.ts";

/** Some calls of one kind, and all that was counted meanwhile. */
export interface CountedCalls {
  readonly talkSeconds: number;
  readonly calls: number;
  readonly before: Reading;
  readonly after: Reading;
}

export interface Counted {
  readonly rowsPerWrite: RowsPerWrite;
  readonly kinds: readonly CountedCalls[];
  readonly results: readonly LoadResult[];
}

/** A quiet run with counters around the objects: nothing but the calls happens. */
export async function measureCounts(rig: Rig, { counted }: Plan, say: (line: string) => void): Promise<Counted> {
  const rowsPerWrite = RowsPerWrite.parse(await (await fetch(rig.edge.url + ROWS_PATH)).json());
  await rig.order({ type: "join", url: rig.edge.url, pairs: Math.max(counted.shortCalls, counted.longCalls) }, Answer);
  const kinds: CountedCalls[] = [];
  const results: LoadResult[] = [];
  for (const [calls, talk, concurrency] of kindsOfCalls(counted)) {
    say(`counted: ${calls} calls with ${talk} s of talk`);
    const before = await settled(rig);
    const result = await load(rig, calls, talk, concurrency);
    results.push(result);
    await rig.history.await(result.completed);
    kinds.push({ talkSeconds: talk, calls, before, after: await settled(rig) });
  }
  return { rowsPerWrite, kinds, results };
}

/** Short ones come one by one, for nothing needs to wait; those that talk for long do so at once. */
function kindsOfCalls({ shortCalls, longCalls, talk }: Plan["counted"]): (readonly [number, number, number])[] {
  const short = [shortCalls, 0, 1] as const;
  return longCalls === 0 ? [short] : [short, [longCalls, talk, longCalls]];
}

async function load(rig: Rig, calls: number, talk: number, concurrency: number): Promise<LoadResult> {
  const until = { calls, seconds: 60 };
  return rig.order({ type: "load", arrivals: { kind: "closed", concurrency }, until, talkMs: talk * 1000 }, LoadResult);
}

const LOOK_MS = 100;
const PATIENCE_MS = 20_000;

/** The reading once the ledger has taken, and confirmed, all that it was sent. @throws when that does not come */
async function settled(rig: Rig): Promise<Reading> {
  const patience = performance.now() + PATIENCE_MS;
  while (performance.now() < patience) {
    const reading = ReadingSchema.parse(await (await fetch(rig.edge.url + READING_PATH)).json());
    const consumed = reading.counts.find(({ item }) => item === "queue message consumed")?.count ?? 0;
    const sent = reading.counts
      .filter(({ unit }) => unit === "queue message")
      .reduce((sum, { count }) => sum + count, 0);
    if (sent === consumed) return reading;
    await delay(LOOK_MS);
  }
  throw new Error("the ledger did not take all that it was sent");
}
