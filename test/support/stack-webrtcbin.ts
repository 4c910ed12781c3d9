import { type ChildProcessByStdio, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import type { Received, Stack } from "./stack-participant.ts";

const SCRIPT = fileURLToPath(new URL("stack-webrtcbin.py", import.meta.url));
/** Debian's, which has the bindings. */
export const PYTHON = "/usr/bin/python3";

const Reply = z.object({
  id: z.int().optional(),
  error: z.string().optional(),
  sdp: z.string().default(""),
  received: z.record(z.string(), z.object({ packets: z.int(), frames: z.int() })).default({}),
});
type Reply = z.infer<typeof Reply>;

/** GStreamer's webrtcbin, in a process of its own: it encodes and decodes. */
export class WebrtcbinStack implements Stack {
  /** What it complained about without having been asked. */
  readonly errors: string[] = [];
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  #requests = 0;

  constructor() {
    const env = { ...process.env, GST_DEBUG: process.env.GST_DEBUG ?? "0" };
    this.#process = spawn(PYTHON, [SCRIPT], { stdio: ["pipe", "pipe", "inherit"], env });
    createInterface({ input: this.#process.stdout }).on("line", (line) => this.#hear(Reply.parse(JSON.parse(line))));
    this.#process.once("exit", (code) => this.#hear({ error: `ended with ${code}`, sdp: "", received: {} }));
  }

  async offer(): Promise<string> {
    return (await this.#ask({ do: "offer" })).sdp;
  }

  async takeAnswer(sdp: string): Promise<void> {
    await this.#ask({ do: "take_answer", sdp });
  }

  async answer(sdp: string): Promise<string> {
    return (await this.#ask({ do: "answer", sdp })).sdp;
  }

  async received(): Promise<ReadonlyMap<string, Received>> {
    return new Map(Object.entries((await this.#ask({ do: "count" })).received));
  }

  async close(): Promise<void> {
    this.#process.removeAllListeners("exit");
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#process.once("exit", () => resolve());
    this.#process.kill("SIGKILL");
    await promise;
  }

  #ask(message: { do: string; sdp?: string }): Promise<Reply> {
    this.#requests += 1;
    const id = this.#requests;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, (reply) => (reply.error === undefined ? resolve(reply) : reject(new Error(reply.error))));
      this.#process.stdin.write(`${JSON.stringify({ ...message, id })}\n`);
    });
  }

  #hear(reply: Reply): void {
    if (reply.id === undefined) this.errors.push(reply.error ?? "");
    else this.#waiting.get(reply.id)?.(reply);
  }
}
