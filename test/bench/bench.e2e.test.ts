import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import * as z from "zod";

const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));

const Report = z.object({
  correctness: z.object({ calls: z.int(), races: z.int(), inHistory: z.int(), faults: z.array(z.string()) }),
  cost: z.object({
    calls: z.array(z.object({ calls: z.int(), requests: z.number(), rows: z.number(), queueMessages: z.number() })),
    lines: z.array(z.object({ unit: z.string(), object: z.string(), item: z.string(), purpose: z.string() })),
    rowsPerWrite: z.object({ put: z.int(), overwrite: z.int(), setAlarm: z.int() }),
  }),
});

test("a short bench makes whole calls, each with one winner, and accounts for what they cost", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, "--smoke", "--json"]);
  const { correctness, cost } = Report.parse(JSON.parse(stdout));

  expect(correctness.faults).toEqual([]);
  expect(correctness.races).toBeGreaterThan(0);
  expect(correctness.inHistory).toBe(correctness.calls);

  expect(cost.rowsPerWrite).toEqual({ put: 1, overwrite: 1, setAlarm: 1 });
  const [call] = cost.calls;
  expect(call?.requests).toBeGreaterThan(0);
  expect(call?.rows).toBeGreaterThan(0);
  expect(call?.queueMessages).toBeGreaterThan(0);
});
