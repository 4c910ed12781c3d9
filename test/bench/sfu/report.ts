import type { Machine } from "../machine.ts";
import type { Percentiles } from "../statistics.ts";
import type { Forwarding, SubjectFigures } from "./forwarding.ts";
import type { Gap, Gaps } from "./gaps.ts";
import type { Joins } from "./joins.ts";
import type { Latency } from "./latency.ts";
import type { SfuPlan } from "./plan.ts";

/** All that a run found; what it was not asked for is left out. */
export interface SfuReport {
  readonly plan: SfuPlan["name"];
  readonly machine: Machine;
  readonly seconds: number;
  readonly forwarding?: readonly Forwarding[];
  readonly joins?: readonly Joins[];
  readonly gaps?: Gaps;
  readonly latency?: readonly Latency[];
}

/** What is aimed at: times of bare mediasoup's CPU, and ms. */
const GOALS = { times: 1.05, kill: 2_000, freeze: 6_000, drain: 500, added: 10, whole: 150 };

export function describeSfuReport(report: SfuReport): string[] {
  const { forwarding, joins, gaps, latency } = report;
  return [
    ...machineLines(report),
    ...(forwarding?.flatMap(forwardingLines) ?? []),
    ...(joins ? joinLines(joins) : []),
    ...(gaps ? gapLines(gaps) : []),
    ...(latency ? latencyLines(latency) : []),
  ];
}

function machineLines({ plan, machine, seconds }: SfuReport): string[] {
  return [
    `Switchboard bench of media nodes (${plan}), ${machine.at}, ${seconds} s`,
    `${machine.cores} x ${machine.processor}, ${machine.memoryGiB} GiB, ${machine.system}; load average before: ${machine.loadAverage}`,
    Object.entries(machine.versions)
      .map((one) => one.join(" "))
      .join(", "),
    ...(plan === "smoke" ? ["A smoke run shows that the bench works: its figures mean nothing."] : []),
  ];
}

function forwardingLines({
  senders,
  speakers,
  receivers,
  packetsPerSecond,
  subjects,
  generatorUs,
}: Forwarding): string[] {
  return [
    "",
    `FORWARDING: ${senders} who send and receive, ${speakers} of them speaking, and ${receivers} who receive, ${packetsPerSecond} packets/s forwarded`,
    "  CPU us per packet (mediasoup's worker + node), against bare mediasoup, memory per consumer (worker + node):",
    ...subjects.map(subjectLine),
    `  the load took ${generatorUs} us for each packet`,
  ];
}

const NAMES: Readonly<Record<SubjectFigures["subject"], string>> = {
  bare: "mediasoup alone",
  levels: "... that hears who speaks",
  ours: "a room of our node",
};

function subjectLine({ subject, workerUs, nodeUs, times, memory, consumers, ...rest }: SubjectFigures): string {
  const verdict = subject === "ours" ? judge(times, GOALS.times, "times") : "";
  const rounds = subject === "bare" ? "" : ` (rounds: ${rest.timesOfEachRound.join(", ")})`;
  const held = `${memory.workerKiB} + ${memory.nodeKiB} KiB of ${consumers}`;
  const lost = rest.delivered < 0.99 ? `, only ${Math.round(rest.delivered * 100)}% delivered` : "";
  return `  ${NAMES[subject].padEnd(26)} ${workerUs} + ${nodeUs} us, ${times} times${rounds}, ${held}${lost}${verdict}`;
}

function joinLines(joins: readonly Joins[]): string[] {
  return [
    "",
    "JOIN of a Chromium to the first decoded picture of anybody, and of everybody",
    ...joins.map(
      ({ participants, joins: times, first, all, quality: { framesPerSecond, freezes, frozenMs, lostShare } }) =>
        `  ${String(participants).padStart(2)} participants: ${spread(first)}; all ${spread(all)} (${times} joins)
     then it gets ${framesPerSecond.median} pictures a second of the middle one, ${framesPerSecond.least} of the least, ${freezes} freezes (${Math.round(frozenMs)} ms), ${(100 * lostShare).toFixed(2)}% of packets lost`,
    ),
  ];
}

function gapLines({ people, quiet, drain, partialDrain, kill, freeze }: Gaps): string[] {
  return [
    "",
    `GAPS in a call of ${people}: the longest time without a packet at each receiver, from each of the others`,
    ...gapLine("nothing happens", quiet, null),
    ...gapLine("drain (SIGTERM)", drain, GOALS.drain),
    ...gapLine("drain of one of several", partialDrain, GOALS.drain),
    ...gapLine("kill -9", kill, GOALS.kill),
    ...gapLine("frozen (SIGSTOP)", freeze, GOALS.freeze),
  ];
}

function gapLine(what: string, { times, ofEach, ofAnybody }: Gap, goal: number | null): string[] {
  if (times === 0) return [];
  const verdict = goal === null ? "" : judge(ofEach.p95, goal, "ms");
  return [`  ${what.padEnd(17)} ${spread(ofEach)}; from anybody ${spread(ofAnybody)} (${times} times)${verdict}`];
}

function latencyLines(latencies: readonly Latency[]): string[] {
  return [
    "",
    "GLASS TO GLASS between two clients in Chromium, from a picture drawn to the same picture shown",
    ...latencies.flatMap(({ delayMs, peerToPeer, sfu, addedMs, pictures }) => [
      `  ${delayMs === 0 ? "loopback" : `${delayMs} ms each way to the SFU, by a relay of UDP; ${2 * delayMs} ms from peer to peer`}, ${pictures} pictures`,
      `    peer to peer    ${spread(peerToPeer)}`,
      `    through the SFU ${spread(sfu)}${judge(sfu.p95, GOALS.whole, "ms")}`,
      `    added at p95    ${addedMs} ms${judge(addedMs, GOALS.added, "ms")}`,
    ]),
  ];
}

function spread({ p50, p95, max }: Percentiles): string {
  return `p50 ${p50} / p95 ${p95} / max ${max} ms`;
}

function judge(figure: number, goal: number, unit: string): string {
  return figure > goal ? `, OVER the goal of ${goal} ${unit}` : `, goal ${goal} ${unit}`;
}
