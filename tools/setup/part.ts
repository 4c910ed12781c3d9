import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/** How long a part has to stop by itself, in ms. */
const STOP_MS = 5_000;

const FOLLOW_PARENT = fileURLToPath(new URL("./follow-parent.ts", import.meta.url));

export interface PartOptions {
  readonly name: string;
  /** The TypeScript file that it runs. */
  readonly entry: string;
  readonly cwd: string;
  readonly env?: Record<string, string>;
  /** Each line that it writes. */
  readonly log: (line: string) => void;
}

/** A process of the system, with those that it starts itself. */
export interface Part {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Resolves when it has ended, with how: "exit code 1", "SIGKILL". */
  readonly exited: Promise<string>;
  /** Asks it to stop, makes it after 5 s, and returns when nothing of it is left. */
  stop(): Promise<void>;
  /** A crash: SIGKILL to it and to all that it started. */
  kill(): Promise<void>;
}

/**
 * A group of its own, so that Ctrl-C in a terminal reaches its parent alone, which stops the parts in order, and so that
 * nothing that it started outlives it. The channel tells it when its parent is gone, however that ended.
 */
export async function startPart({ name, entry, cwd, env, log }: PartOptions): Promise<Part> {
  const child = spawn(process.execPath, ["--import", FOLLOW_PARENT, entry], {
    cwd,
    env: { ...process.env, ...env },
    detached: true,
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  for (const stream of [child.stdout, child.stderr]) {
    if (stream) createInterface({ input: stream }).on("line", log);
  }
  const exited = new Promise<string>((resolve) => {
    child.once("exit", (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  // After its last line, which tells why it ended.
  const closed = new Promise((resolve) => child.once("close", resolve));
  await once(child, "spawn");
  const { pid } = child;
  if (pid === undefined) throw new Error(`${name} has no process id`);
  const kill = async () => {
    killGroup(pid, "SIGKILL");
    await closed;
  };
  const stop = async () => {
    child.kill("SIGTERM");
    await Promise.race([exited, delay(STOP_MS, undefined, { ref: false })]);
    await kill();
  };
  return { child, pid, exited, stop, kill };
}

/** A signal to a process that was started as the leader of a group, and to the whole group. */
export function killGroup(pid: number, signal: "SIGTERM" | "SIGKILL"): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // Nobody is left in it.
  }
}
