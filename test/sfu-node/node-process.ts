import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { vi } from "vitest";
import * as z from "zod";
import { PATIENCE } from "../support/patience.ts";

const LogLine = z.looseObject({ event: z.string() });
type LogLine = z.infer<typeof LogLine>;

/** An SFU node as a process of its own. */
export class NodeProcess {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  readonly lines: LogLine[] = [];
  output = "";

  constructor(env: Record<string, string>) {
    this.child = spawn(process.execPath, ["sfu-node/main.ts"], {
      env: { PATH: process.env.PATH, SFU_RTC_PORT: "0", HEALTH_PORT: "0", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.exited = once(this.child, "exit").then(([code]) => code);
    if (this.child.stdout) createInterface({ input: this.child.stdout }).on("line", (line) => this.#take(line));
    this.child.stderr?.on("data", (data) => {
      this.output += String(data);
    });
  }

  #take(line: string): void {
    this.output += `${line}\n`;
    this.lines.push(LogLine.parse(JSON.parse(line)));
  }

  /** The first line of an event, waiting for it. */
  async line(event: string): Promise<LogLine> {
    return vi.waitFor(() => {
      const found = this.lines.find((line) => line.event === event);
      if (!found) throw new Error(`no line ${event} in:\n${this.output}`);
      return found;
    }, PATIENCE);
  }

  async health(path: string): Promise<{ status: number; body: unknown }> {
    const { health } = await this.line("sfu_listening");
    const response = await fetch(`http://127.0.0.1:${health}${path}`);
    return { status: response.status, body: await response.json() };
  }
}
