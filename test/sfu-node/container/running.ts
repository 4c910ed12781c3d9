import { type ChildProcess, execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { enter, enterBeside, type Place } from "./chroot.ts";
import type { Image } from "./image.ts";

export interface Run {
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  readonly readOnly: boolean;
  /** "uid:gid" in place of the image's. */
  readonly user?: string;
  /** Where the volumes of the image are kept. */
  readonly volumes: string;
}

export interface Ended {
  readonly code: number;
  readonly output: string;
}

/** The entry point of an image at work: a process tree of its own in a root file system of its own. */
export class Container {
  readonly exited: Promise<number>;
  readonly #image: Image;
  readonly #place: Place;
  readonly #process: ChildProcess;
  output = "";

  private constructor(image: Image, place: Place) {
    this.#image = image;
    this.#place = place;
    this.#process = enter(place, image.entrypoint, ["ignore", "pipe", "pipe"]);
    this.exited = once(this.#process, "exit").then(([code, signal]) => code ?? signal);
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      if (stream) createInterface({ input: stream }).on("line", (line) => this.#take(line));
    }
    process.once("exit", () => this.kill());
  }

  static start(image: Image, { name, env, readOnly, user = image.user ?? "0:0", volumes }: Run): Container {
    const mounts = Object.fromEntries(image.volumes.map((at) => [at, volume(image.root, at, join(volumes, name))]));
    const everything = { HOME: homeOf(user, image.root), ...image.env, ...env };
    return new Container(image, { ...image, env: everything, user, readOnly, mounts });
  }

  /** The first process of the container, by this machine's count; null before it is in its root file system, and after. */
  get #pid(): number | null {
    const outer = this.#process.pid;
    try {
      const [pid = ""] = readFileSync(`/proc/${outer}/task/${outer}/children`, "utf8").split(" ");
      return pid !== "" && readlinkSync(`/proc/${pid}/root`) !== "/" ? Number(pid) : null;
    } catch {
      return null;
    }
  }

  /** @throws what the container wrote, when it does not run */
  get pid(): number {
    const pid = this.#pid;
    if (pid === null) throw new Error(`the container does not run:\n${this.output}`);
    return pid;
  }

  /** What the kernel says of its first process: "Uid", "CapEff", "NoNewPrivs". */
  status(field: string): string | undefined {
    return new RegExp(`^${field}:\\s+(.*)$`, "m").exec(readFileSync(`/proc/${this.pid}/status`, "utf8"))?.[1];
  }

  async exec(command: readonly string[]): Promise<Ended> {
    const child = enterBeside(this.#place, this.pid, command);
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk) => {
        output += String(chunk);
      });
    }
    const [code, signal] = await once(child, "close");
    return { code: code ?? signal, output };
  }

  healthcheck(): Promise<Ended> {
    return this.exec(this.#image.healthcheck);
  }

  /** Asks until the health check says so. */
  async healthy(seconds: number): Promise<void> {
    for (const deadline = performance.now() + seconds * 1000; performance.now() < deadline; await delay(500)) {
      if (this.#process.exitCode !== null) break;
      if (this.#pid !== null && (await this.healthcheck()).code === 0) return;
    }
    throw new Error(`not healthy, of ${seconds} s that it had:\n${this.output}`);
  }

  /** As `docker stop` does. @returns the exit code */
  stop(): Promise<number> {
    process.kill(this.pid, this.#image.stopSignal);
    return this.exited;
  }

  kill(): void {
    this.#process.kill("SIGKILL");
  }

  #take(line: string): void {
    this.output += `${line}\n`;
  }
}

/** A new volume begins as the folder that it covers. */
function volume(root: string, at: string, folder: string): string {
  if (!existsSync(folder)) execFileSync("cp", ["--archive", "--no-target-directory", join(root, at), folder]);
  return folder;
}

function homeOf(user: string, root: string): string {
  const accounts = readFileSync(join(root, "etc/passwd"), "utf8").split("\n");
  const account = accounts.map((line) => line.split(":")).find(([, , uid]) => uid === user.split(":")[0]);
  return account?.[5] ?? "/";
}
