import { parseArgs } from "node:util";
import { SetupError } from "../../tools/setup/setup-error.ts";
import type { HistoryPlan } from "./history-pages.ts";

/** How much is measured. Times in seconds unless the name says otherwise. */
export interface Plan {
  readonly name: "full" | "smoke";
  readonly pairs: number;
  readonly idle: { readonly devices: number; readonly hibernate: number };
  readonly warmUp: number;
  readonly open: { readonly callsPerSecond: number; readonly seconds: number };
  readonly closed: { readonly concurrency: number; readonly seconds: number; readonly rounds: number };
  readonly counted: { readonly shortCalls: number; readonly longCalls: number; readonly talk: number };
  readonly history: HistoryPlan;
  /** How often `npm start` is run again. */
  readonly starts: number;
}

/**
 * Many pairs, because nobody makes a call a second: a user's row grows with the calls of the last minutes. Objects
 * hibernate after 10 s, and a call of more than 15 s meets the alarm that looks whether media came.
 */
const FULL: Plan = {
  name: "full",
  pairs: 150,
  idle: { devices: 400, hibernate: 12 },
  warmUp: 4,
  open: { callsPerSecond: 25, seconds: 20 },
  closed: { concurrency: 16, seconds: 6, rounds: 3 },
  counted: { shortCalls: 30, longCalls: 10, talk: 16 },
  // A million entries, an eighth of them one person's.
  history: { size: { calls: 500_000, people: 10_000, share: 4 }, pages: 200 },
  starts: 5,
};

/** The same steps in a few seconds: shows that they work, and measures nothing. */
const SMOKE: Plan = {
  name: "smoke",
  pairs: 10,
  idle: { devices: 5, hibernate: 0 },
  warmUp: 0,
  open: { callsPerSecond: 20, seconds: 0.6 },
  closed: { concurrency: 4, seconds: 0.4, rounds: 1 },
  counted: { shortCalls: 10, longCalls: 0, talk: 0 },
  history: { size: { calls: 2_000, people: 50, share: 4 }, pages: 3 },
  starts: 1,
};

export interface Arguments {
  readonly plan: Plan;
  /** Only JSON on the standard output. */
  readonly json: boolean;
  /** Only what pages of the history take, or only what `npm start` takes. */
  readonly only: "history" | "start" | null;
  /** The history in a PostgreSQL of its own, not in the embedded one. */
  readonly isServer: boolean;
}

const OPTIONS = {
  smoke: { type: "boolean" },
  json: { type: "boolean" },
  history: { type: "boolean" },
  server: { type: "boolean" },
  start: { type: "boolean" },
} as const;

/** @throws SetupError `bad_setting` */
export function readArguments(args: readonly string[]): Arguments {
  try {
    const { values } = parseArgs({ args: [...args], options: OPTIONS });
    const { smoke = false, json = false, history = false, server = false, start = false } = values;
    const only = history ? "history" : start ? "start" : null;
    return { plan: smoke ? SMOKE : FULL, json, only, isServer: server };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new SetupError(
      "bad_setting",
      problem,
      "npm run bench [-- [--smoke] [--json] [--history [--server]] [--start]]",
    );
  }
}
