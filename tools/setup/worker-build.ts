import { availableParallelism, freemem } from "node:os";
import { join } from "node:path";
import { lastLines, runLogged } from "./run-logged.ts";
import { SetupError } from "./setup-error.ts";

export interface WorkerBuild {
  readonly recipeDir: string;
  /** `worker/` of the npm package: the sources. */
  readonly sourceDir: string;
  /** An empty folder for what the build makes. */
  readonly buildDir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly log: (line: string) => void;
  readonly logFile: string;
}

/** A batch of mediasoup's sources takes the compiler up to this much memory. */
const BYTES_PER_JOB = 1024 ** 3;

/**
 * Builds mediasoup's worker from the sources that the npm package ships: about a minute on two cores.
 * @returns the path of the binary, in the build folder
 * @throws SetupError `mediasoup_build_failed`, with the log and its last lines
 */
export async function buildWorker(build: WorkerBuild): Promise<string> {
  const { recipeDir, sourceDir, buildDir, env, logFile } = build;
  const configure = ["-S", recipeDir, "-B", buildDir, "-G", "Ninja", `-DWORKER_DIR=${sourceDir}`];
  await must("cmake", configure, build);
  const jobs = Math.max(1, Math.min(availableParallelism(), Math.floor(freemem() / BYTES_PER_JOB)));
  await must("ninja", ["-C", buildDir, "-j", String(jobs)], {
    env: { ...env, NINJA_STATUS: "%p " },
    logFile,
    onLine: quarters(build.log),
  });
  return join(buildDir, "mediasoup-worker");
}

async function must(command: string, args: readonly string[], run: Parameters<typeof runLogged>[2]): Promise<void> {
  const code = await runLogged(command, args, run);
  if (code === 0) return;
  throw new SetupError(
    "mediasoup_build_failed",
    `mediasoup's worker does not build: ${command} ended with ${code}\n${await lastLines(run.logFile, 15)}`,
    `the whole log: ${run.logFile}\nor set MEDIASOUP_WORKER_BIN to a worker of this version`,
  );
}

/** Tells of each quarter of a build, read from ninja's "25% Building ..." lines. */
function quarters(log: (line: string) => void): (line: string) => void {
  let next = 25;
  return (line) => {
    const percent = Number(/^\s*(\d+)% /.exec(line)?.[1] ?? 0);
    if (percent < next) return;
    log(`building mediasoup's worker: ${percent}%`);
    next = (Math.floor(percent / 25) + 1) * 25;
  };
}
