import { setTimeout as delay } from "node:timers/promises";
import { CallFault, type CallTimes, makeCall } from "./call.ts";
import { traffic } from "./line.ts";
import type { Pair, Server } from "./people.ts";
import type { Extent, Load, LoadResult } from "./protocol.ts";

/** Every tenth call is answered by two devices at once. */
const RACE_EVERY = 10;
/** No call takes nearly as long. */
const PATIENCE_MS = 15_000;
/** After this many the run has failed anyway. */
const MAX_FAULTS = 20;

/** Makes calls as they are asked for, and tells how each went. */
export class Caller {
  readonly #server: Server;
  /** Those who are in no call; who was longest without one is next. */
  readonly #free: Pair[];
  readonly #waiting: ((pair: Pair) => void)[] = [];

  constructor(server: Server, pairs: readonly Pair[]) {
    this.#server = server;
    this.#free = [...pairs];
  }

  async run({ arrivals, until, talkMs }: Load): Promise<LoadResult> {
    const before = { ...traffic, cpu: process.cpuUsage() };
    const from = performance.now();
    const run = { from, talkMs, started: 0, races: 0, times: [] as CallTimes[], faults: [] as string[] };
    if (arrivals.kind === "closed") await this.#closedLoop(run, until, arrivals.concurrency);
    else await this.#openLoop(run, until, arrivals.callsPerSecond);
    const { user, system } = process.cpuUsage(before.cpu);
    return {
      type: "loaded",
      seconds: (performance.now() - from) / 1000,
      completed: run.times.length,
      races: run.races,
      ringMs: run.times.map(({ ringMs }) => ringMs),
      connectMs: run.times.map(({ connectMs }) => connectMs),
      messagesIn: traffic.in - before.in,
      messagesOut: traffic.out - before.out,
      cpuMs: (user + system) / 1000,
      faults: run.faults,
    };
  }

  async #closedLoop(run: Run, until: Extent, concurrency: number): Promise<void> {
    const loop = async () => {
      while (mayGoOn(run, until, performance.now())) await this.#call(run, performance.now());
    };
    await Promise.all(Array.from({ length: concurrency }, loop));
  }

  /** By the clock, whether or not the server keeps up: a slow answer delays no later call, and hides none. */
  async #openLoop(run: Run, until: Extent, callsPerSecond: number): Promise<void> {
    const calls: Promise<void>[] = [];
    for (let at = run.from; mayGoOn(run, until, at); at += 1000 / callsPerSecond) {
      const early = at - performance.now();
      if (early > 0) await delay(early);
      calls.push(this.#call(run, at));
    }
    await Promise.all(calls);
  }

  async #call(run: Run, scheduledAt: number): Promise<void> {
    run.started += 1;
    const isRace = run.started % RACE_EVERY === 0;
    if (isRace) run.races += 1;
    const pair = await this.#take();
    try {
      run.times.push(
        await makeCall(this.#server, pair, { scheduledAt, isRace, talkMs: run.talkMs, patienceMs: PATIENCE_MS }),
      );
    } catch (error) {
      if (!(error instanceof CallFault)) throw error;
      run.faults.push(error.message);
    } finally {
      this.#giveBack(pair);
    }
  }

  #take(): Promise<Pair> {
    const pair = this.#free.shift();
    return pair ? Promise.resolve(pair) : new Promise((resolve) => this.#waiting.push(resolve));
  }

  #giveBack(pair: Pair): void {
    const waiting = this.#waiting.shift();
    if (waiting) waiting(pair);
    else this.#free.push(pair);
  }
}

interface Run {
  /** On the clock of `performance.now()`. */
  readonly from: number;
  readonly talkMs: number;
  started: number;
  races: number;
  readonly times: CallTimes[];
  readonly faults: string[];
}

function mayGoOn(run: Run, until: Extent, at: number): boolean {
  const isOver = run.started >= until.calls || at - run.from >= until.seconds * 1000;
  return !isOver && run.faults.length < MAX_FAULTS;
}
