import { performance } from "node:perf_hooks";
import { freePort } from "../support/free-port.ts";
import { killFamily, Run } from "../support/processes.ts";
import { ROOT } from "../support/project.ts";
import { rounded } from "./statistics.ts";

/** What a start may take when nothing has to be installed, in seconds. */
const BUDGET = 10;
const READY = "Switchboard is ready: ";

export interface StartFigures {
  /** Of the start that makes its database, in seconds. */
  readonly first: number;
  /** Of those that find its data. */
  readonly later: readonly number[];
}

/** `npm start`, from the command to the line that says that it is ready, on a data folder that begins empty. */
export async function measureStarts(
  dataDir: string,
  starts: number,
  say: (line: string) => void,
): Promise<StartFigures> {
  say("starting with an empty data folder");
  const first = await startOnce(dataDir);
  const later: number[] = [];
  while (later.length < starts) {
    say(`starting again, ${later.length + 1} of ${starts}`);
    later.push(await startOnce(dataDir));
  }
  return { first, later };
}

async function startOnce(dataDir: string): Promise<number> {
  const env = { PORT: String(await freePort()), DATA_DIR: dataDir, DATABASE_URL: "" };
  const started = performance.now();
  const run = new Run("npm", ["start"], { cwd: ROOT, env });
  try {
    await run.wrote(READY);
    const seconds = rounded((performance.now() - started) / 1000);
    run.interrupt();
    await run.ended();
    return seconds;
  } finally {
    killFamily(run.pid);
  }
}

export function describeStarts({ first, later }: StartFigures): string[] {
  const slowest = Math.max(...later);
  const verdict = slowest > BUDGET ? `, OVER the ${BUDGET} s that a start may take` : "";
  return [`START: ${first} s with an empty data folder, then ${later.join(", ")} s${verdict}`];
}
