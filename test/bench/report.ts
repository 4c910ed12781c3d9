import { BUDGET, type Cost, type CostLine } from "./cost.ts";
import { type HistoryFigures, PAGE_BUDGET } from "./history-pages.ts";
import type { Machine } from "./machine.ts";
import type { Plan } from "./plan.ts";
import type { Percentiles } from "./statistics.ts";
import type { CpuPerCall, Timing } from "./timing.ts";

/** All that a run found. */
export interface Report {
  readonly plan: Plan["name"];
  readonly machine: Machine;
  readonly seconds: number;
  readonly timing: Omit<Timing, "results">;
  readonly cost: Cost;
  readonly history: HistoryFigures;
  readonly correctness: Correctness;
}

export interface Correctness {
  readonly calls: number;
  readonly races: number;
  /** Calls that the history holds as completed. */
  readonly inHistory: number;
  readonly faults: readonly string[];
}

export function isCorrect({ calls, inHistory, faults }: Correctness): boolean {
  return calls > 0 && inHistory === calls && faults.length === 0;
}

export function describeReport(report: Report): string[] {
  return [
    machineLines(report),
    timingLines(report.timing),
    costLines(report.cost),
    describeHistory(report.history),
    correctnessLines(report.correctness),
  ].flatMap((lines, index) => (index === 0 ? lines : ["", ...lines]));
}

function machineLines({ plan, machine, seconds }: Report): string[] {
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  return [
    `Switchboard bench (${plan}), ${machine.at}, ${seconds} s`,
    `${machine.cores} x ${machine.processor}, ${machine.memoryGiB} GiB, ${machine.system}; load average before: ${machine.loadAverage}`,
    versions.join(", "),
    `objects' state on ${machine.filesystem} (TMPDIR says where)`,
    ...(plan === "smoke" ? ["A smoke run shows that the bench works: its figures mean nothing."] : []),
  ];
}

function timingLines({ idle, open, closed }: Timing | Report["timing"]): string[] {
  const rates = closed.callsPerSecond.map(String).join(", ");
  const { toServer, fromServer } = closed.messagesPerCall;
  return [
    `TIMING (whole calls: 3 devices ring, every 10th call is answered by two at once, 10 candidates each way)`,
    `closed loop, ${closed.concurrency} at once: ${rates} calls/s; ring ${latency(closed.ringMs)}, connect ${latency(closed.connectMs)}`,
    `  CPU ms per call: ${cpu(closed.cpuMsPerCall)}; ${toServer} messages to the server and ${fromServer} back`,
    `  the load client took ${Math.round(closed.loadClientShare * 100)}% of a core; workerd held ${closed.descriptors} descriptors at the end`,
    `open loop, ${open.callsPerSecond} calls/s offered, from the scheduled moment: ring ${latency(open.ringMs)}, connect ${latency(open.connectMs)}`,
    `  CPU ms per call: ${cpu(open.cpuMsPerCall)}`,
    `idle devices, one user each: ${idle.connectedKiB} KiB when just connected, ${idle.hibernatingKiB} KiB once hibernating (${idle.devices} of each)`,
  ];
}

function latency({ p50, p99, max }: Percentiles): string {
  return `p50 ${p50} / p99 ${p99} / max ${max} ms`;
}

function cpu({ workerd, miniflare, postgres }: CpuPerCall): string {
  return `workerd ${workerd}, miniflare ${miniflare}, Postgres ${postgres}`;
}

function costLines({ lines, calls, rowsPerWrite }: Cost): string[] {
  const header = [...calls.map(({ talkSeconds }) => `${talkSeconds} s`.padStart(WIDTH)), "  of talk"].join("");
  const { put, overwrite, setAlarm } = rowsPerWrite;
  return [
    "COST of one call, counted around the objects; every figure is per call",
    header,
    ...lines.map(costLine),
    "",
    totalLine(
      "object requests",
      calls.map(({ requests }) => requests),
      `budget ${BUDGET.requests}`,
    ),
    totalLine(
      "rows written",
      calls.map(({ rows }) => rows),
      `budget ${BUDGET.rows}`,
    ),
    totalLine(
      "queue messages",
      calls.map(({ queueMessages }) => queueMessages),
      `budget ${BUDGET.queueMessages}`,
    ),
    totalLine(
      "Worker requests",
      calls.map(({ workerRequests }) => workerRequests),
      "",
    ),
    totalLine(
      "$ per million calls",
      calls.map(({ dollarsPerMillion }) => dollarsPerMillion),
      "without time awake",
    ),
    `SQLite's own count of rows: ${put} for a first put, ${overwrite} for an overwriting one, ${setAlarm} for an alarm.`,
  ];
}

const WIDTH = 8;

function columns(figures: readonly number[]): string {
  return figures.map((figure) => figure.toFixed(2).padStart(WIDTH)).join("");
}

function costLine({ unit, object, item, perCall, purpose }: CostLine): string {
  return `${columns(perCall)}  ${unit.padEnd(14)} ${object.padEnd(11)} ${purpose ? `${item.padEnd(46)} ${purpose}` : item}`;
}

function totalLine(what: string, perCall: readonly number[], note: string): string {
  return `${columns(perCall)}  ${what}${note ? ` (${note})` : ""}`;
}

export function describeHistory({ postgres, kinds, ...size }: HistoryFigures): string[] {
  return [
    `HISTORY: pages of 20 out of ${size.entriesOfOne} entries of one person, ${size.entries} of all (PostgreSQL ${postgres}, filled in ${size.fillSeconds} s)`,
    ...kinds.map(({ what, pages, ms }) => {
      const verdict = ms.p99 > PAGE_BUDGET ? `, OVER the ${PAGE_BUDGET} ms that a page may take` : "";
      return `  ${what.padEnd(34)} ${latency(ms)} of ${pages} pages${verdict}`;
    }),
  ];
}

function correctnessLines(correctness: Correctness): string[] {
  const { calls, races, inHistory, faults } = correctness;
  return [
    `CORRECTNESS: ${calls} calls, ${races} of them raced; one winner each and every other device stopped: ${faults.length === 0 ? "yes" : "NO"}`,
    `  in the history as completed: ${inHistory}`,
    ...faults.map((fault) => `  fault: ${fault}`),
    isCorrect(correctness) ? "ok" : "FAILED",
  ];
}
