import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import * as z from "zod";

const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));

const History = z.object({
  entries: z.int(),
  entriesOfOne: z.int(),
  kinds: z.array(z.object({ what: z.string(), calls: z.int(), ms: z.object({ p99: z.number().positive() }) })),
});

const Starts = z.object({ first: z.number(), later: z.array(z.number()) });

const Report = z.object({
  correctness: z.object({ calls: z.int(), races: z.int(), inHistory: z.int(), faults: z.array(z.string()) }),
  cost: z.object({
    calls: z.array(z.object({ calls: z.int(), requests: z.number(), rows: z.number(), queueMessages: z.number() })),
    lines: z.array(z.object({ unit: z.string(), object: z.string(), item: z.string(), purpose: z.string() })),
    rowsPerWrite: z.object({ put: z.int(), overwrite: z.int(), setAlarm: z.int() }),
  }),
  history: History,
});

test("a short bench makes whole calls, each with one winner, and accounts for what they cost", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, "--smoke", "--json"]);
  const { correctness, cost, history } = Report.parse(JSON.parse(stdout));

  expect(correctness.faults).toEqual([]);
  expect(correctness.races).toBeGreaterThan(0);
  expect(correctness.inHistory).toBe(correctness.calls);

  expect(cost.rowsPerWrite).toEqual({ put: 1, overwrite: 1, setAlarm: 1 });
  const [call] = cost.calls;
  expect(call?.requests).toBeGreaterThan(0);
  expect(call?.rows).toBeGreaterThan(0);
  expect(call?.queueMessages).toBeGreaterThan(0);
  expectPages(history);
});

test("the pages of the history can be measured alone, on a PostgreSQL server", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, "--smoke", "--json", "--history", "--server"]);
  expectPages(History.parse(JSON.parse(stdout)));
});

test("what `npm start` takes can be measured alone", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, "--smoke", "--json", "--start"]);
  const { first, later } = Starts.parse(JSON.parse(stdout));
  expect([first, ...later].filter((seconds) => seconds <= 0)).toEqual([]);
  expect(later.length).toBe(1);
});

/** Every kind of page has something on it: an empty one would be fast for nothing. */
function expectPages({ entries, entriesOfOne, kinds }: z.infer<typeof History>): void {
  expect({ entries, entriesOfOne }).toEqual({ entries: 4_000, entriesOfOne: 500 });
  expect(kinds.length).toBeGreaterThan(5);
  expect(kinds.filter(({ calls }) => calls === 0)).toEqual([]);
}
