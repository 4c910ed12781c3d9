import { setTimeout as delay } from "node:timers/promises";
import { Answer, type Arrivals, LoadResult } from "./load/protocol.ts";
import type { Plan } from "./plan.ts";
import { cpuMs, openDescriptors, residentKiB, workerdOf } from "./processes.ts";
import type { Rig } from "./rig.ts";
import { type Percentiles, percentiles, rounded } from "./statistics.ts";

/** CPU ms for one call, by process. */
export interface CpuPerCall {
  readonly workerd: number;
  /** The process that runs workerd: it carries the Worker's log lines. */
  readonly miniflare: number;
  readonly postgres: number;
}

export interface OpenLoop {
  readonly callsPerSecond: number;
  readonly completed: number;
  readonly ringMs: Percentiles;
  readonly connectMs: Percentiles;
  readonly cpuMsPerCall: CpuPerCall;
}

export interface ClosedLoop {
  readonly concurrency: number;
  readonly completed: number;
  /** One figure for each round. */
  readonly callsPerSecond: readonly number[];
  readonly ringMs: Percentiles;
  readonly connectMs: Percentiles;
  readonly cpuMsPerCall: CpuPerCall;
  readonly messagesPerCall: { readonly toServer: number; readonly fromServer: number };
  /** Of one core. */
  readonly loadClientShare: number;
  readonly descriptors: number;
}

export interface IdleDevices {
  readonly devices: number;
  readonly connectedKiB: number;
  readonly hibernatingKiB: number;
}

export interface Timing {
  readonly idle: IdleDevices;
  readonly open: OpenLoop;
  readonly closed: ClosedLoop;
  readonly results: readonly LoadResult[];
}

/** Loads the Worker as it is deployed, nothing counted inside. */
export async function measureTiming(rig: Rig, plan: Plan, say: (line: string) => void): Promise<Timing> {
  say(`idle devices: twice ${plan.idle.devices}`);
  const idle = await idleDevices(rig, plan);
  await rig.order({ type: "join", url: rig.edge.url, pairs: plan.pairs }, Answer);
  say(`warm-up: ${plan.warmUp} s`);
  const closedLoop = { kind: "closed", concurrency: plan.closed.concurrency } as const;
  const warmUp = await load(rig, closedLoop, plan.warmUp);
  await rig.history.await(warmUp.completed);
  say(`open loop: ${plan.open.callsPerSecond} calls/s for ${plan.open.seconds} s`);
  const open = await measured(rig, async () => [
    await load(rig, { kind: "open", callsPerSecond: plan.open.callsPerSecond }, plan.open.seconds),
  ]);
  say(`closed loop: ${plan.closed.concurrency} at once, ${plan.closed.rounds} rounds of ${plan.closed.seconds} s`);
  const closed = await measured(rig, async () => {
    const rounds: LoadResult[] = [];
    for (let i = 0; i < plan.closed.rounds; i++) rounds.push(await load(rig, closedLoop, plan.closed.seconds));
    return rounds;
  });
  return {
    idle,
    open: { callsPerSecond: plan.open.callsPerSecond, ...summary(open) },
    closed: { concurrency: plan.closed.concurrency, ...summary(closed), ...throughput(rig, closed) },
    results: [warmUp, ...open.results, ...closed.results],
  };
}

async function load(rig: Rig, arrivals: Arrivals, seconds: number): Promise<LoadResult> {
  const until = { seconds, calls: Number.MAX_SAFE_INTEGER };
  return rig.order({ type: "load", arrivals, until, talkMs: 0 }, LoadResult);
}

/**
 * One user for each device, so one object. What objects leave behind when they hibernate stays with the process, and
 * the next ones use it: so what a hibernating device takes is seen in a second lot.
 */
async function idleDevices(rig: Rig, { idle }: Plan): Promise<IdleDevices> {
  const pid = workerdOf(rig.edge.pid);
  // The first few pay for what all share.
  await connectIdle(rig, SHARED_DEVICES);
  const start = residentKiB(pid);
  await connectIdle(rig, idle.devices);
  const connected = residentKiB(pid);
  await delay(idle.hibernate * 1000);
  const first = residentKiB(pid);
  await connectIdle(rig, idle.devices);
  await delay(idle.hibernate * 1000);
  const second = residentKiB(pid);
  await rig.order({ type: "leave" }, Answer);
  return {
    devices: idle.devices,
    connectedKiB: rounded((connected - start) / idle.devices),
    hibernatingKiB: rounded((second - first) / idle.devices),
  };
}

const SHARED_DEVICES = 20;

async function connectIdle(rig: Rig, devices: number): Promise<void> {
  await rig.order({ type: "connect_idle", url: rig.edge.url, devices }, Answer);
}

interface Measured {
  readonly results: readonly LoadResult[];
  readonly completed: number;
  readonly cpu: CpuPerCall;
}

/** CPU counts until the history of these calls is written: that is work of theirs too. */
async function measured(rig: Rig, run: () => Promise<LoadResult[]>): Promise<Measured> {
  const pids = { workerd: workerdOf(rig.edge.pid), miniflare: rig.edge.pid, postgres: rig.database.pid };
  const used = () => [cpuMs(pids.workerd), cpuMs(pids.miniflare), cpuMs(pids.postgres)] as const;
  const from = used();
  const results = await run();
  const completed = results.reduce((sum, result) => sum + result.completed, 0);
  await rig.history.await(completed);
  const to = used();
  const perCall = (index: 0 | 1 | 2) => rounded((to[index] - from[index]) / Math.max(1, completed));
  return { results, completed, cpu: { workerd: perCall(0), miniflare: perCall(1), postgres: perCall(2) } };
}

function summary({ results, completed, cpu }: Measured): Omit<OpenLoop, "callsPerSecond"> {
  return {
    completed,
    ringMs: percentiles(results.flatMap((result) => result.ringMs)),
    connectMs: percentiles(results.flatMap((result) => result.connectMs)),
    cpuMsPerCall: cpu,
  };
}

function throughput(rig: Rig, { results, completed }: Measured) {
  const sum = (of: (result: LoadResult) => number) => results.reduce((total, result) => total + of(result), 0);
  const calls = Math.max(1, completed);
  return {
    callsPerSecond: results.map((result) => rounded(result.completed / result.seconds)),
    messagesPerCall: {
      toServer: rounded(sum((result) => result.messagesOut) / calls),
      fromServer: rounded(sum((result) => result.messagesIn) / calls),
    },
    loadClientShare: rounded(sum((result) => result.cpuMs) / sum((result) => result.seconds * 1000)),
    descriptors: openDescriptors(workerdOf(rig.edge.pid)),
  };
}
