import { EventEmitter, once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { createWorker, type types } from "mediasoup";
import { retryDelayMs } from "./backoff.ts";
import { type Log, problem } from "./log.ts";

/** A mediasoup worker process, the port that all its transports share, and what it forwards. */
export interface MediaWorker extends Media {
  readonly worker: types.Worker;
  readonly webRtcServer: types.WebRtcServer;
}

/** What is open on a worker, whoever made it. */
interface Media {
  readonly producers: ReadonlySet<types.Producer>;
  readonly consumers: ReadonlySet<types.Consumer>;
}

export interface PoolOptions {
  readonly count: number;
  readonly listenIp: string;
  readonly announcedAddress: string;
  /** Of the first worker, each further one has the next; 0 takes any free ones. */
  readonly rtcPort: number;
  /** Null for the one that mediasoup has installed. */
  readonly workerBin: string | null;
  readonly log: Log;
}

interface PoolEvents {
  /** A worker has died or was replaced. */
  change: [];
}

/** A worker that lives less long counts as one that failed to start: the next one waits. */
const STABLE_MS = 5_000;
/** How long a worker has to end by itself. A frozen one never does. */
const CLOSE_MS = 2_000;
/** How often a worker is asked whether it lives. */
const WATCH_MS = 1_000;
/** A worker that leaves so many in a row unanswered is frozen. Fewer would end one that waits for a busy core. */
const UNANSWERED = 3;

/** One mediasoup worker per core; one that dies takes its rooms along, and another takes its place. */
export class WorkerPool extends EventEmitter<PoolEvents> {
  readonly #options: PoolOptions;
  readonly #slots: (MediaWorker | null)[];
  readonly #closing = new AbortController();
  readonly #replacements = new Set<Promise<void>>();

  private constructor(options: PoolOptions) {
    super();
    this.#options = options;
    this.#slots = Array.from({ length: options.count }, () => null);
  }

  /** @throws what mediasoup says, when a worker does not start or its port is taken */
  static async open(options: PoolOptions): Promise<WorkerPool> {
    const pool = new WorkerPool(options);
    try {
      await Promise.all(pool.#slots.map((_slot, index) => pool.#fill(index, 0)));
    } catch (error) {
      await pool.close();
      throw error;
    }
    return pool;
  }

  get size(): number {
    return this.#slots.length;
  }

  get alive(): readonly MediaWorker[] {
    return this.#slots.filter((slot) => slot !== null);
  }

  /** Returns when no process is left. */
  async close(): Promise<void> {
    this.#closing.abort();
    const open = this.alive;
    this.#slots.fill(null);
    await Promise.all([...open.map(({ worker }) => end(worker)), ...this.#replacements]);
  }

  /** @param failures workers of this slot in a row that did not last */
  async #fill(index: number, failures: number): Promise<void> {
    const slot = await this.#start(index);
    if (this.#closing.signal.aborted) return end(slot.worker);
    this.#slots[index] = slot;
    const startedAt = performance.now();
    this.#watch(index, slot.worker);
    slot.worker.on("died", (error) => {
      this.#options.log("sfu_worker_died", { worker: index, problem: problem(error) });
      this.#slots[index] = null;
      this.emit("change");
      const replacement = this.#replace(index, performance.now() - startedAt < STABLE_MS ? failures + 1 : 0);
      this.#replacements.add(replacement);
      void replacement.then(() => this.#replacements.delete(replacement));
    });
  }

  /**
   * Ends a worker that is frozen: nothing else would, and the node could not tell its load any more. Counts questions,
   * not time: after a pause of the whole node the answers are only a moment away.
   */
  #watch(index: number, worker: types.Worker): void {
    let unanswered = 0;
    const timer = setInterval(() => {
      if (unanswered === UNANSWERED) {
        this.#options.log("sfu_worker_frozen", { worker: index });
        killIfRunning(worker.pid);
      }
      unanswered += 1;
      worker.getResourceUsage().then(
        () => {
          unanswered = 0;
        },
        () => {},
      );
    }, WATCH_MS);
    worker.observer.once("close", () => clearInterval(timer));
  }

  /** Tries until there is a worker again: without one, a node serves nobody. */
  async #replace(index: number, failures: number): Promise<void> {
    const { log } = this.#options;
    const { signal } = this.#closing;
    for (let failed = failures; !signal.aborted; failed++) {
      if (failed > 0) await this.#pause(retryDelayMs(failed - 1, Math.random()));
      try {
        if (!signal.aborted) await this.#fill(index, failed);
        if (signal.aborted) return;
        log("sfu_worker_replaced", { worker: index });
        this.emit("change");
        return;
      } catch (error) {
        log("sfu_worker_failed", { worker: index, problem: problem(error) });
      }
    }
  }

  async #pause(ms: number): Promise<void> {
    // Cut short by closing, which the loop sees.
    await delay(ms, undefined, { signal: this.#closing.signal }).catch(() => {});
  }

  async #start(index: number): Promise<MediaWorker> {
    const { workerBin } = this.#options;
    const worker = await withoutSignals(() =>
      createWorker({ logLevel: "warn", ...(workerBin !== null && { workerBin }) }),
    );
    try {
      const webRtcServer = await worker.createWebRtcServer({ listenInfos: this.#listenInfos(index) });
      return { worker, webRtcServer, ...mediaOf(worker) };
    } catch (error) {
      await end(worker);
      throw error;
    }
  }

  #listenInfos(index: number): types.TransportListenInfo[] {
    const { listenIp, announcedAddress, rtcPort } = this.#options;
    const port = rtcPort === 0 ? {} : { port: rtcPort + index };
    const announced = announcedAddress === listenIp ? {} : { announcedAddress };
    return (["udp", "tcp"] as const).map((protocol) => ({ protocol, ip: listenIp, ...announced, ...port }));
  }
}

const STOP_SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** mediasoup closes a worker as soon as this process is told to stop: a node does that when its rooms have moved. */
function withoutSignals<T>(create: () => Promise<T>): Promise<T> {
  const before = new Map(STOP_SIGNALS.map((signal) => [signal, new Set(process.listeners(signal))]));
  const creating = create();
  for (const [signal, known] of before) {
    for (const listener of process.listeners(signal)) if (!known.has(listener)) process.off(signal, listener);
  }
  return creating;
}

function mediaOf(worker: types.Worker): Media {
  const producers = new Set<types.Producer>();
  const consumers = new Set<types.Consumer>();
  worker.observer.on("newrouter", (router) => {
    router.observer.on("newtransport", (transport) => {
      transport.observer.on("newproducer", (producer) => {
        producers.add(producer);
        producer.observer.once("close", () => producers.delete(producer));
      });
      transport.observer.on("newconsumer", (consumer) => {
        consumers.add(consumer);
        consumer.observer.once("close", () => consumers.delete(consumer));
      });
    });
  });
  return { producers, consumers };
}

async function end(worker: types.Worker): Promise<void> {
  if (worker.subprocessClosed) return;
  const ended = once(worker, "subprocessclose");
  worker.close();
  await Promise.race([ended, delay(CLOSE_MS, undefined, { ref: false })]);
  if (worker.subprocessClosed) return;
  killIfRunning(worker.pid);
  await ended;
}

function killIfRunning(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}
