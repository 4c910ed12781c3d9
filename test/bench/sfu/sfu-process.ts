import { fileURLToPath } from "node:url";
import { parseFromNode, type ToNode } from "../../../schema/room-socket.ts";
import { type Part, startPart } from "../../../tools/setup/part.ts";
import type { InRoom } from "../../support/room-nodes.ts";
import { StackInRoom } from "../../support/stack-participant.ts";
import type { Sending } from "./load-media.ts";
import { LoadStack } from "./load-stack.ts";
import { Answer, Memory, type Order, type Subject, Usage } from "./messages.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

export interface SfuOptions {
  readonly subject: Subject;
  readonly workerBin: string;
  /** Where it is reached. */
  readonly listenIp?: string;
  readonly log: (line: string) => void;
}

/** An SFU in a process of its own, with one room, and in between what a call does: it carries messages. */
export class SfuProcess {
  readonly people = new Map<string, InRoom>();
  readonly #part: Part;
  readonly #waiting: ((answer: Answer) => void)[] = [];

  private constructor(part: Part) {
    this.#part = part;
    part.child.on("message", (frame: unknown) => {
      if (typeof frame === "string") this.#carry(frame);
      else this.#waiting.shift()?.(Answer.parse(frame));
    });
  }

  static async start({ subject, workerBin, listenIp = "127.0.0.1", log }: SfuOptions): Promise<SfuProcess> {
    const entry = fileURLToPath(new URL("./sfu.ts", import.meta.url));
    const sfu = new SfuProcess(await startPart({ name: `SFU (${subject})`, entry, cwd: ROOT, log }));
    await sfu.#ask({ type: "open", subject, workerBin, listenIp });
    return sfu;
  }

  tell(message: ToNode): void {
    this.#part.child.send(JSON.stringify(message));
  }

  /** A client of the load comes in, and is connected. */
  async join(id: string, sending: Sending | null): Promise<LoadStack> {
    const stack = await LoadStack.open(sending);
    const one = new StackInRoom(id, stack, async (message) => this.tell(message));
    this.people.set(id, one);
    await one.join();
    await stack.connected;
    if (one.refused.length > 0) throw new Error(`the SFU refused a client of the load: ${one.refused[0]}`);
    return stack;
  }

  async usage(): Promise<Usage> {
    return Usage.parse(await this.#ask({ type: "usage" }));
  }

  async memory(): Promise<Memory> {
    return Memory.parse(await this.#ask({ type: "memory" }));
  }

  stop(): Promise<void> {
    return this.#part.stop();
  }

  #carry(frame: string): void {
    const parsed = parseFromNode(frame);
    if (!parsed.ok) throw new Error(`the SFU said what is no message: ${parsed.refusal.message}`);
    if ("participantId" in parsed.message) this.people.get(parsed.message.participantId)?.hear(parsed.message);
  }

  /** @throws when the process ends instead */
  #ask(order: Order): Promise<Answer> {
    const answered = new Promise<Answer>((resolve) => this.#waiting.push(resolve));
    this.#part.child.send(order);
    return Promise.race([
      answered,
      this.#part.exited.then((how): never => {
        throw new Error(`an SFU of the bench ended by itself (${how})`);
      }),
    ]);
  }
}
