import { parseArgs } from "node:util";
import * as z from "zod";
import { SetupError } from "../../../tools/setup/setup-error.ts";
import type { ForwardingPlan } from "./forwarding.ts";
import type { GapsPlan } from "./gaps.ts";
import type { JoinsPlan } from "./joins.ts";
import type { LatencyPlan } from "./latency.ts";

export const Part = z.enum(["forwarding", "joins", "gaps", "latency"]);
export type Part = z.infer<typeof Part>;

/** How much is measured. */
export interface SfuPlan {
  readonly name: "full" | "smoke";
  readonly forwarding: readonly ForwardingPlan[];
  readonly joins: JoinsPlan;
  readonly gaps: GapsPlan;
  readonly latency: LatencyPlan;
}

/** Rounds by threes: each of the three subjects comes first as often as the others. */
const CALL = { senders: 4, receivers: 8, rounds: 6, fillSeconds: 2.5, seconds: 3 };

/** One speaks, as in most calls, and all at once, which is the worst for who listens for the loudest. */
const FULL: SfuPlan = {
  name: "full",
  forwarding: [
    { ...CALL, speakers: 1 },
    { ...CALL, speakers: 4 },
  ],
  joins: { sizes: [2, 8, 32], joins: 20, watchSeconds: 10 },
  gaps: { people: 8, kills: 20, freezes: 12, drains: 8, partialDrains: 8 },
  latency: { delaysMs: [0, 40], rounds: 2, settleSeconds: 3, seconds: 8 },
};

/** The same steps in a few seconds: shows that they work, and measures nothing. */
const SMOKE: SfuPlan = {
  name: "smoke",
  forwarding: [{ senders: 1, speakers: 1, receivers: 1, rounds: 1, fillSeconds: 0.3, seconds: 0.3 }],
  joins: { sizes: [2], joins: 1, watchSeconds: 0.5 },
  gaps: { people: 3, kills: 1, freezes: 0, drains: 0, partialDrains: 0 },
  latency: { delaysMs: [5], rounds: 1, settleSeconds: 0, seconds: 0.5 },
};

export interface SfuArguments {
  readonly plan: SfuPlan;
  /** Only JSON on the standard output. */
  readonly json: boolean;
  readonly parts: readonly Part[];
}

const OPTIONS = {
  smoke: { type: "boolean" },
  json: { type: "boolean" },
  only: { type: "string" },
} as const;

/** @throws SetupError `bad_setting` */
export function readArguments(args: readonly string[]): SfuArguments {
  try {
    const { smoke = false, json = false, only } = parseArgs({ args: [...args], options: OPTIONS }).values;
    return { plan: smoke ? SMOKE : FULL, json, parts: only === undefined ? Part.options : [partOf(only)] };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    const usage = `npm run bench:sfu [-- [--smoke] [--json] [--only ${Part.options.join("|")}]]`;
    throw new SetupError("bad_setting", problem, usage);
  }
}

function partOf(only: string): Part {
  const { success, data } = Part.safeParse(only);
  if (!success) throw new Error(`the bench has no part "${only}"`);
  return data;
}
