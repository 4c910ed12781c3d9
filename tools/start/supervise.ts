import { setTimeout as delay } from "node:timers/promises";
import { SetupError } from "../setup/setup-error.ts";

/** How long a step that is under way when a stop is asked for may take to come to its end, in ms. */
const STEP_GRACE_MS = 3_000;

/** What a boot order is written with. */
export interface Boot {
  /** Runs one step and says how long it took; `say` takes lines of progress. */
  step<T>(name: string, run: (say: (line: string) => void) => Promise<T>): Promise<T>;
  /**
   * A part that runs from now on: how it is stopped, and for a process, when it has ended.
   * All are stopped, last first, when one of them ends by itself.
   */
  runs(name: string, stop: () => Promise<void>, exited?: Promise<string>): void;
  /** Where a part's own lines go. */
  log(name: string): (line: string) => void;
}

/**
 * Boots, prints what that returns, and holds everything up until SIGINT, SIGTERM or SIGHUP. A second signal changes
 * nothing: a terminal sends its Ctrl-C to every process, and each may pass it on.
 * @throws what the boot threw, or SetupError `part_died`, when all parts have stopped
 */
export async function supervise(
  boot: (boot: Boot) => Promise<string>,
  print: (line: string) => void = (line) => console.log(line),
): Promise<void> {
  const stop = stopSignal();
  const parts = new AsyncDisposableStack();
  const death = Promise.withResolvers<never>();
  death.promise.catch(() => {});
  const booted = boot(bootIn(parts, death.reject, stop, print));
  booted.catch(() => {});
  try {
    const ready = await Promise.race([booted, death.promise, stop.asked]);
    if (!stop.signal.aborted) print(ready);
    await Promise.race([death.promise, stop.asked]);
    print("Stopping ...");
    await Promise.race([booted, delay(STEP_GRACE_MS)]);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  } finally {
    await parts.disposeAsync();
  }
}

interface Stop {
  readonly signal: AbortSignal;
  readonly asked: Promise<string>;
}

function stopSignal(): Stop {
  const controller = new AbortController();
  const { promise, resolve } = Promise.withResolvers<string>();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => {
      controller.abort();
      resolve(signal);
    });
  }
  return { signal: controller.signal, asked: promise };
}

function bootIn(
  parts: AsyncDisposableStack,
  died: (error: SetupError) => void,
  stop: Stop,
  print: (line: string) => void,
): Boot {
  return {
    async step(name, run) {
      stop.signal.throwIfAborted();
      const started = performance.now();
      const result = await run((line) => print(`     ${line}`));
      print(`ok   ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
      return result;
    },
    runs(name, stopPart, exited) {
      parts.defer(stopPart);
      exited?.then((how) => died(partDied(name, how)));
    },
    log: (name) => (line) => print(`${name} | ${line}`),
  };
}

function partDied(name: string, how: string): SetupError {
  return new SetupError(
    "part_died",
    `the ${name} ended by itself (${how}), so everything was stopped`,
    "What it wrote last is above. The data is kept: `npm start` starts again.",
  );
}
