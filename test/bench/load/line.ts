import { once } from "node:events";
import WebSocket from "ws";
import type { ClientMessageInput } from "../../../schema/client-messages.ts";
import { parseServerFrame, type ServerMessage, type ServerMessageOf } from "../../../schema/server-messages.ts";

type Type = ServerMessage["type"];

interface Waiting {
  readonly types: readonly Type[];
  readonly resolve: (message: ServerMessage) => void;
}

/** Messages that went over all sockets of this process. */
export const traffic = { in: 0, out: 0 };

/** One socket of one device. What is heard waits until it is asked for, in order of each type. */
export class Line {
  readonly #socket: WebSocket;
  #heard: ServerMessage[] = [];
  #waiting: Waiting[] = [];
  /** Frames that the schema does not know. */
  strange = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data) => this.#hear(data.toString()));
    socket.on("error", () => {});
  }

  static async open(url: string, token: string): Promise<Line> {
    const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` }, perMessageDeflate: false });
    const line = new Line(socket);
    await once(socket, "open");
    return line;
  }

  send(message: ClientMessageInput): void {
    traffic.out += 1;
    this.#socket.send(JSON.stringify(message));
  }

  async next<T extends Type>(type: T): Promise<ServerMessageOf<T>> {
    return this.nextOf(type);
  }

  /** The next message of any of these types. */
  async nextOf<T extends Type>(...types: readonly T[]): Promise<ServerMessageOf<T>> {
    const message = await this.#next(types);
    if (!isOf(message, types)) throw new Error("kept by its type");
    return message;
  }

  /** The next message of that type on whichever of the lines it comes. */
  static async first<T extends Type>(lines: readonly Line[], type: T): Promise<ServerMessageOf<T>> {
    const heard = lines.find((line) => line.has(type));
    if (heard) return heard.next(type);
    const { promise, resolve } = Promise.withResolvers<ServerMessage>();
    const waiting = { types: [type], resolve };
    for (const line of lines) line.#waiting.push(waiting);
    const message = await promise;
    for (const line of lines) line.#waiting = line.#waiting.filter((other) => other !== waiting);
    if (!isOf(message, [type])) throw new Error("kept by its type");
    return message;
  }

  /** Whether such a message has come that nobody asked for yet. */
  has(type: Type): boolean {
    return this.#heard.some((message) => message.type === type);
  }

  /** What belongs to a call before is of no interest to the next. */
  forget(): void {
    this.#heard = [];
    this.#waiting = [];
  }

  /** What is waited for here, and has not come. */
  missing(): string[] {
    return this.#waiting.map(({ types }) => types.join(" or "));
  }

  close(): void {
    this.#socket.close(1000);
  }

  async closed(): Promise<void> {
    if (this.#socket.readyState !== WebSocket.CLOSED) await once(this.#socket, "close");
  }

  #next(types: readonly Type[]): Promise<ServerMessage> {
    const at = this.#heard.findIndex((message) => types.includes(message.type));
    const [found] = at < 0 ? [] : this.#heard.splice(at, 1);
    if (found) return Promise.resolve(found);
    return new Promise((resolve) => this.#waiting.push({ types, resolve }));
  }

  #hear(frame: string): void {
    traffic.in += 1;
    const message = parseServerFrame(frame);
    if (!message) {
      this.strange += 1;
      return;
    }
    const at = this.#waiting.findIndex(({ types }) => types.includes(message.type));
    const [waiting] = at < 0 ? [] : this.#waiting.splice(at, 1);
    if (waiting) waiting.resolve(message);
    else this.#heard.push(message);
  }
}

function isOf<T extends Type>(message: ServerMessage, types: readonly T[]): message is ServerMessageOf<T> {
  const known: readonly Type[] = types;
  return known.includes(message.type);
}
