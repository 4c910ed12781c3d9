import type { types } from "mediasoup";
import type { NodeLoad } from "../schema/fleet.ts";
import type { WorkerPool } from "./workers.ts";

/** Running totals of what is still open: CPU ms by worker process, packets by consumer. */
interface Totals {
  readonly at: number;
  readonly cpuMs: ReadonlyMap<string, number>;
  readonly packets: ReadonlyMap<string, number>;
}

/** How busy a node is, each time measured since the last time. */
export class LoadMeter {
  readonly #pool: WorkerPool;
  #last: Totals;

  constructor(pool: WorkerPool) {
    this.#pool = pool;
    this.#last = { at: performance.now(), cpuMs: new Map(), packets: new Map() };
  }

  async measure(): Promise<NodeLoad> {
    const last = this.#last;
    const current = await totals(this.#pool);
    this.#last = current;
    const elapsed = Math.max(1, current.at - last.at);
    const cpu = growth(last.cpuMs, current.cpuMs) / (elapsed * this.#pool.size);
    return {
      workers: this.#pool.alive.length,
      consumers: current.packets.size,
      cpu: Math.min(1, Number(cpu.toFixed(3))),
      packetRate: Math.round((growth(last.packets, current.packets) * 1_000) / elapsed),
    };
  }
}

/** What is new since the last time counts from 0; what is gone no longer counts. */
function growth(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const [key, total] of after) sum += Math.max(0, total - (before.get(key) ?? 0));
  return sum;
}

async function totals(pool: WorkerPool): Promise<Totals> {
  const workers = pool.alive;
  const consumers = workers.flatMap((slot) => [...slot.consumers]);
  const [cpuMs, packets] = await Promise.all([
    measured(
      workers,
      ({ worker }) => String(worker.pid),
      ({ worker }) => cpuOf(worker),
    ),
    measured(consumers, ({ id }) => id, packetsOf),
  ]);
  return { at: performance.now(), cpuMs, packets };
}

/** A worker that dies while it is asked leaves no answer, and is not part of the load any more. */
async function measured<T>(
  items: readonly T[],
  key: (item: T) => string,
  ask: (item: T) => Promise<number>,
): Promise<Map<string, number>> {
  const asked = await Promise.allSettled(items.map(async (item) => [key(item), await ask(item)] as const));
  return new Map(asked.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : [])));
}

async function cpuOf(worker: types.Worker): Promise<number> {
  const { ru_utime, ru_stime } = await worker.getResourceUsage();
  return ru_utime + ru_stime;
}

async function packetsOf(consumer: types.Consumer): Promise<number> {
  const stats = await consumer.getStats();
  return stats.reduce((sum, { type, packetCount }) => sum + (type === "outbound-rtp" ? packetCount : 0), 0);
}
