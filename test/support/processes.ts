import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";

/** A command under test, in a process group of its own, as a terminal would have it. */
export class Run {
  readonly child: ChildProcess;
  /** All that it wrote, on both streams. */
  output = "";
  #waiting: { readonly text: string; readonly resolve: () => void }[] = [];
  readonly #closed: Promise<number>;

  constructor(command: string, args: readonly string[], options: { cwd: string; env?: NodeJS.ProcessEnv }) {
    const env = { ...process.env, ...options.env };
    this.child = spawn(command, args, { cwd: options.cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.on("data", (chunk) => this.#read(String(chunk)));
    this.#closed = once(this.child, "close").then(([code]) => code ?? 1);
  }

  /** Resolves when the text has been written. @throws the output, if the command ends without it */
  async wrote(text: string): Promise<void> {
    if (this.output.includes(text)) return;
    const seen = new Promise<void>((resolve) => this.#waiting.push({ text, resolve }));
    const ended = this.#closed.then((code) => {
      throw new Error(`it ended with ${code} and did not write "${text}":\n${this.output}`);
    });
    await Promise.race([seen, ended]);
  }

  /** The exit code, when it has ended and let go of its output. */
  ended(): Promise<number> {
    return this.#closed;
  }

  /** Ctrl-C in a terminal: to every process of the group. */
  interrupt(): void {
    process.kill(-this.pid, "SIGINT");
  }

  get pid(): number {
    const { pid } = this.child;
    if (pid === undefined) throw new Error("the command was not started");
    return pid;
  }

  #read(chunk: string): void {
    this.output += chunk;
    for (const { text, resolve } of this.#waiting) if (this.output.includes(text)) resolve();
  }
}

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly state: string;
  readonly command: string;
}

/** proc(5): the command in parentheses may hold spaces and parentheses of its own. */
const STAT = /^\d+ \(.*\) (\S) (\d+) /s;

function processes(): Process[] {
  return readdirSync("/proc").flatMap((name) => {
    try {
      const [, state = "", parent = ""] = STAT.exec(readFileSync(`/proc/${name}/stat`, "utf8")) ?? [];
      const command = readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ");
      return /^\d+$/.test(name) ? [{ pid: Number(name), parent: Number(parent), state, command }] : [];
    } catch {
      return [];
    }
  });
}

/** A process and all that it started, and that those started. */
export function family(pid: number): Process[] {
  const all = processes();
  const found = all.filter((process) => process.pid === pid);
  for (const { pid: parent } of found) found.push(...all.filter((process) => process.parent === parent));
  return found;
}

/** Those that still run. One that has ended and waits for its parent to notice does not. */
export function alive(of: readonly Process[]): string[] {
  const now = new Map(processes().map((process) => [process.pid, process]));
  const same = of.filter(({ pid, command }) => now.get(pid)?.command === command && now.get(pid)?.state !== "Z");
  return same.map(({ pid, command }) => `${pid} ${command}`);
}

/** For what a failed test leaves behind. */
export function killFamily(pid: number): void {
  for (const process of family(pid)) kill(process.pid);
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}
