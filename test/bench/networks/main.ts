import { tmpdir } from "node:os";
import { parseArgs } from "node:util";
import { reportFailure, SetupError } from "../../../tools/setup/setup-error.ts";
import { hindrance } from "../../support/network/namespace.ts";
import { describeMachine, type Machine } from "../machine.ts";
import { FULL, measureNetworks, type NetworksFigures, SMOKE } from "./measure.ts";
import { type MoveFigures, measureMoves } from "./roaming.ts";

interface Report extends NetworksFigures {
  readonly plan: string;
  readonly machine: Machine;
  readonly seconds: number;
}

interface MovesReport {
  readonly machine: Machine;
  readonly moves: readonly MoveFigures[];
}

/** Of each kind of move. */
const MOVED_CALLS = 10;

/** `npm run bench:networks`: which way media takes through which networks, and how soon the first picture is there. */
async function main(args: readonly string[]): Promise<number> {
  const { smoke, json, moves } = readArguments(args);
  const hindered = await hindrance();
  if (hindered !== null) throw new SetupError("bad_setting", hindered, "Run it as root on Linux.");
  const started = performance.now();
  const machine = describeMachine(tmpdir());
  if (moves) {
    const report = { machine, moves: await measureMoves(smoke ? 1 : MOVED_CALLS, say) };
    console.log(json ? JSON.stringify(report, undefined, 2) : `\n${describeMoves(report).join("\n")}`);
    return 0;
  }
  const plan = smoke ? SMOKE : FULL;
  const figures = await measureNetworks(plan, say);
  const report = { plan: plan.name, machine, ...figures, seconds: Math.round((performance.now() - started) / 1000) };
  console.log(json ? JSON.stringify(report, undefined, 2) : `\n${describe(report).join("\n")}`);
  return 0;
}

/** @throws SetupError `bad_setting` */
function readArguments(args: readonly string[]): { smoke: boolean; json: boolean; moves: boolean } {
  const options = { smoke: { type: "boolean" }, json: { type: "boolean" }, moves: { type: "boolean" } } as const;
  try {
    const { smoke = false, json = false, moves = false } = parseArgs({ args: [...args], options }).values;
    return { smoke, json, moves };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new SetupError("bad_setting", problem, "npm run bench:networks [-- [--moves] [--smoke] [--json]]");
  }
}

function describe({ machine, calls, shares, networks, seconds }: Report): string[] {
  const percent = (share: number) => `${Math.round(share * 100)}%`;
  return [
    `${machine.cores} cores of ${machine.processor}, load before: ${machine.loadAverage}; ${calls} calls in ${seconds} s`,
    "",
    `WAYS: host ${percent(shares.host)}, srflx ${percent(shares.srflx)}, relay ${percent(shares.relay)} of the calls`,
    "",
    "FROM THE ANSWER TO THE FIRST PICTURE, both sides",
    ...networks.map(
      ({ networks: name, way, firstFrame: { p50, p95, max } }) =>
        `  ${name.padEnd(35)} ${way.padEnd(10)} p50 ${p50} / p95 ${p95} / max ${max} ms`,
    ),
  ];
}

function describeMoves({ machine, moves }: MovesReport): string[] {
  return [
    `${machine.cores} cores of ${machine.processor}, load before: ${machine.loadAverage}`,
    "",
    "WITHOUT A NEW PICTURE when the path of a call dies, the longest of all who look on",
    ...moves.map(
      ({ move, calls, gap: { p50, p95, max } }) =>
        `  ${move.padEnd(20)} p50 ${p50} / p95 ${p95} / max ${max} ms of ${calls} calls`,
    ),
  ];
}

function say(line: string): void {
  console.error(`${(performance.now() / 1000).toFixed(1).padStart(6)} s  ${line}`);
}

process.exit(await main(process.argv.slice(2)).catch(reportFailure));
