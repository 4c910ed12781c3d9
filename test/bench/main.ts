import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleEdge } from "../../tools/edge/bundle.ts";
import { reportFailure, SetupError } from "../../tools/setup/setup-error.ts";
import { buildWebPage } from "../../tools/setup/web-page.ts";
import { costOf } from "./cost.ts";
import { measureCounts } from "./counted.ts";
import type { LoadResult } from "./load/protocol.ts";
import { describeMachine } from "./machine.ts";
import { type Plan, readArguments } from "./plan.ts";
import { type Correctness, describeReport, isCorrect, type Report } from "./report.ts";
import { type Rig, startRig } from "./rig.ts";
import { rounded } from "./statistics.ts";
import { measureTiming } from "./timing.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** `npm run bench`: what whole calls take and cost. */
async function main(args: readonly string[]): Promise<number> {
  const { plan, json } = readArguments(args);
  if (process.platform !== "linux") {
    throw new SetupError("bad_setting", `the bench reads /proc, and ${process.platform} has none`, "Run it on Linux.");
  }
  const folder = mkdtempSync(join(tmpdir(), "switchboard-bench-"));
  try {
    const report = await bench(plan, folder);
    console.log(json ? JSON.stringify(report, undefined, 2) : `\n${describeReport(report)}`);
    return isCorrect(report.correctness) ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function bench(plan: Plan, folder: string): Promise<Report> {
  const started = performance.now();
  const machine = describeMachine();
  say("building the Worker, with and without counters");
  await buildWebPage(ROOT);
  const [product, counting] = await Promise.all([
    bundleEdge(ROOT, join(folder, "product")),
    bundleEdge(ROOT, join(folder, "counting"), "test/bench/counting/worker.ts"),
  ]);
  const timing = await withRig(join(folder, "timing"), product, (rig) => measureTiming(rig, plan, say));
  const counted = await withRig(join(folder, "counted"), counting, (rig) => measureCounts(rig, plan, say));
  const { results, ...figures } = timing.found;
  return {
    plan: plan.name,
    machine,
    seconds: rounded((performance.now() - started) / 1000),
    timing: figures,
    cost: costOf(counted.found),
    correctness: correctness([...results, ...counted.found.results], timing.completed + counted.completed),
  };
}

interface Found<T> {
  readonly found: T;
  /** Calls that the history holds as completed in the end. */
  readonly completed: number;
}

async function withRig<T extends { readonly results: readonly LoadResult[] }>(
  dataDir: string,
  mainModule: string,
  measure: (rig: Rig) => Promise<T>,
): Promise<Found<T>> {
  mkdirSync(dataDir);
  const rig = await startRig(dataDir, mainModule, (line) => line.includes("rror") && say(line));
  try {
    const found = await measure(rig);
    const calls = found.results.reduce((sum, { completed }) => sum + completed, 0);
    return { found, completed: (await rig.history(calls)).completed ?? 0 };
  } finally {
    await rig.stop();
  }
}

function correctness(results: readonly LoadResult[], inHistory: number): Correctness {
  const sum = (of: (result: LoadResult) => number) => results.reduce((total, result) => total + of(result), 0);
  return {
    calls: sum(({ completed, faults }) => completed + faults.length),
    races: sum(({ races }) => races),
    inHistory,
    faults: results.flatMap(({ faults }) => faults),
  };
}

function say(line: string): void {
  console.error(line);
}

process.exit(await main(process.argv.slice(2)).catch(reportFailure));
