import type { types } from "mediasoup";
import type { NodeLoad } from "../schema/fleet.ts";
import type { WorkerPool } from "./workers.ts";

/** Running totals of what is still open: CPU ms by worker process, packets that came by producer. */
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
    const cpu = sum(growth(last.cpuMs, current.cpuMs).values()) / (elapsed * this.#pool.size);
    return {
      workers: this.#pool.alive.length,
      consumers: this.#pool.alive.reduce((count, { consumers }) => count + consumers.size, 0),
      cpu: Math.min(1, Number(cpu.toFixed(3))),
      packetRate: Math.round((this.#forwarded(growth(last.packets, current.packets)) * 1_000) / elapsed),
    };
  }

  /**
   * Each packet that came went to every consumer that is open. To ask the consumers themselves cost more than all else
   * that a node does: in a room each producer has as many as there are people.
   */
  #forwarded(packets: ReadonlyMap<string, number>): number {
    const consumers = this.#pool.alive.flatMap((slot) => [...slot.consumers]);
    const flowing = consumers.filter(({ paused, producerPaused }) => !paused && !producerPaused);
    return sum(flowing.map(({ producerId }) => packets.get(producerId) ?? 0));
  }
}

/** What is new since the last time counts from 0; what is gone no longer counts. */
function growth(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  return new Map([...after].map(([key, total]) => [key, Math.max(0, total - (before.get(key) ?? 0))]));
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

async function totals(pool: WorkerPool): Promise<Totals> {
  const workers = pool.alive;
  const [cpuMs, packets] = await Promise.all([
    measured(
      workers,
      ({ worker }) => String(worker.pid),
      ({ worker }) => cpuOf(worker),
    ),
    measured(
      workers.flatMap(({ producers }) => [...producers]),
      ({ id }) => id,
      packetsOf,
    ),
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

/** Of a track in layers, the one with the most: no consumer is sent two. */
async function packetsOf(producer: types.Producer): Promise<number> {
  const stats = await producer.getStats();
  return Math.max(0, ...stats.map(({ packetCount }) => packetCount));
}
