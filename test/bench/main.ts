import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleEdge } from "../../tools/edge/bundle.ts";
import { reportFailure, SetupError } from "../../tools/setup/setup-error.ts";
import { buildWebPage } from "../../tools/setup/web-page.ts";
import { costOf } from "./cost.ts";
import { measureCounts } from "./counted.ts";
import { type HistoryFigures, measureHistory } from "./history-pages.ts";
import type { LoadResult } from "./load/protocol.ts";
import { describeMachine } from "./machine.ts";
import { type Plan, readArguments } from "./plan.ts";
import { type Correctness, describeHistory, describeReport, isCorrect, type Report } from "./report.ts";
import { type Rig, startDatabase, startRig } from "./rig.ts";
import { describeStarts, measureStarts } from "./start.ts";
import { rounded } from "./statistics.ts";
import { measureTiming } from "./timing.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** `npm run bench`: what whole calls take and cost, pages of a long history, and a start. */
async function main(args: readonly string[]): Promise<number> {
  const { plan, json, only, isServer } = readArguments(args);
  if (process.platform !== "linux") {
    throw new SetupError("bad_setting", `the bench reads /proc, and ${process.platform} has none`, "Run it on Linux.");
  }
  const folder = mkdtempSync(join(tmpdir(), "switchboard-bench-"));
  try {
    const print = <T>(figures: T, describe: (figures: T) => readonly string[]) =>
      console.log(json ? JSON.stringify(figures, undefined, 2) : `\n${describe(figures).join("\n")}`);
    switch (only) {
      case "history":
        print(await benchHistory(plan, folder, isServer), describeHistory);
        return 0;
      case "start":
        print(await measureStarts(join(folder, "start"), plan.starts, say), describeStarts);
        return 0;
      case null:
        break;
    }
    const calls = await bench(plan, folder);
    const report: Report = { ...calls, history: await benchHistory(plan, folder, isServer) };
    print(report, describeReport);
    return isCorrect(report.correctness) ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function benchHistory(plan: Plan, folder: string, isServer: boolean): Promise<HistoryFigures> {
  const dataDir = join(folder, "history");
  mkdirSync(dataDir);
  const database = await startDatabase(dataDir, warn, isServer);
  try {
    return await measureHistory(database, plan.history, say);
  } finally {
    await database.stop();
  }
}

async function bench(plan: Plan, folder: string): Promise<Omit<Report, "history">> {
  const started = performance.now();
  const machine = describeMachine(folder);
  await using parts = new AsyncDisposableStack();
  const [product, counting] = await boot(parts, folder, plan);
  const timing = await withHistory(product, () => measureTiming(product, plan, say));
  const counted = await withHistory(counting, () => measureCounts(counting, plan, say));
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

/**
 * Two edges: the Worker as it is deployed, and the same with counters around its objects. One idles while one works.
 * A smoke run measures nothing, and does with the second.
 */
async function boot(parts: AsyncDisposableStack, folder: string, { name }: Plan): Promise<readonly [Rig, Rig]> {
  say("starting Postgres and the Worker, with and without counters");
  await buildWebPage(ROOT);
  const database = startDatabase(folder, warn).then((started) => {
    parts.defer(started.stop);
    return started;
  });
  const start = async (edge: string, entry?: string) => {
    const dataDir = join(folder, edge);
    mkdirSync(dataDir);
    const mainModule = await bundleEdge(ROOT, join(dataDir, "bundle"), entry);
    const rig = await startRig(await database, dataDir, mainModule, warn);
    parts.defer(rig.stop);
    return rig;
  };
  const counting = start("counting-edge", "test/bench/counting/worker.ts");
  return Promise.all([name === "smoke" ? counting : start("edge"), counting]);
}

interface Found<T> {
  readonly found: T;
  /** Calls that the history holds as completed in the end. */
  readonly completed: number;
}

async function withHistory<T>({ history }: Rig, measure: () => Promise<T>): Promise<Found<T>> {
  await history.begin();
  const found = await measure();
  return { found, completed: await history.await(0) };
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

/** What a part writes is of interest when it is an error. */
function warn(line: string): void {
  if (/error/i.test(line)) say(line);
}

function say(line: string): void {
  console.error(`${(performance.now() / 1000).toFixed(1).padStart(6)} s  ${line}`);
}

process.exit(await main(process.argv.slice(2)).catch(reportFailure));
