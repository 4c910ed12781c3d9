import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { ensureMediasoupWorker } from "../../../tools/setup/mediasoup-worker.ts";
import { reportFailure, SetupError } from "../../../tools/setup/setup-error.ts";
import { launchBrowser } from "../../support/browser.ts";
import { describeMachine } from "../machine.ts";
import { rounded } from "../statistics.ts";
import { type Forwarding, type ForwardingPlan, measureForwarding } from "./forwarding.ts";
import { measureGaps } from "./gaps.ts";
import { measureJoins } from "./joins.ts";
import { measureLatency } from "./latency.ts";
import { type Part, readArguments, type SfuPlan } from "./plan.ts";
import { describeSfuReport, type SfuReport } from "./report.ts";

/** `npm run bench:sfu`: what a media node costs, how soon one sees the others, and what is missed when it is lost. */
async function main(args: readonly string[]): Promise<number> {
  const { plan, json, parts } = readArguments(args);
  if (process.platform !== "linux") {
    throw new SetupError("bad_setting", `the bench reads /proc, and ${process.platform} has none`, "Run it on Linux.");
  }
  const folder = mkdtempSync(join(tmpdir(), "switchboard-bench-sfu-"));
  try {
    const report = await bench(plan, parts, folder);
    console.log(json ? JSON.stringify(report, undefined, 2) : `\n${describeSfuReport(report).join("\n")}`);
    return 0;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** One part after the other: each has the machine for itself. */
async function bench(plan: SfuPlan, parts: readonly Part[], folder: string): Promise<SfuReport> {
  const machine = describeMachine(folder);
  const workerBin = await ensureMediasoupWorker({ log: say });
  const started = performance.now();
  let report: Omit<SfuReport, "seconds"> = { plan: plan.name, machine };
  for (const part of parts) report = { ...report, ...(await measure(part, plan, join(folder, part), workerBin)) };
  return { ...report, seconds: rounded((performance.now() - started) / 1000) };
}

async function measure(part: Part, plan: SfuPlan, folder: string, workerBin: string): Promise<Partial<SfuReport>> {
  switch (part) {
    case "forwarding":
      return { forwarding: await measureEachForwarding(plan.forwarding, workerBin) };
    case "joins":
      return withBrowser(async (browser) => ({
        joins: await measureJoins(plan.joins, { browser, folder, workerBin }, say),
      }));
    case "gaps":
      return { gaps: await measureGaps(plan.gaps, folder, workerBin, say) };
    case "latency":
      return withBrowser(async (browser) => ({
        latency: await measureLatency(plan.latency, { browser, workerBin }, say),
      }));
  }
}

async function measureEachForwarding(plans: readonly ForwardingPlan[], workerBin: string): Promise<Forwarding[]> {
  const found: Forwarding[] = [];
  for (const one of plans) found.push(await measureForwarding(one, workerBin, say));
  return found;
}

async function withBrowser<T>(use: (browser: Browser) => Promise<T>): Promise<T> {
  const browser = await launchBrowser();
  try {
    return await use(browser);
  } finally {
    await browser.close();
  }
}

function say(line: string): void {
  console.error(`${(performance.now() / 1000).toFixed(1).padStart(6)} s  ${line}`);
}

process.exit(await main(process.argv.slice(2)).catch(reportFailure));
