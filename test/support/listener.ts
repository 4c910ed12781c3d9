import type { ClientMessageInput } from "../../schema/client-messages.ts";
import { parseServerFrame, type ServerMessage, type ServerMessageOf } from "../../schema/server-messages.ts";
import { PATIENCE_MS } from "./patience.ts";

type Type = ServerMessage["type"];

/** What a device hears on one socket: it is kept, and waited for by what it says. */
export abstract class Listener {
  readonly heard: ServerMessage[] = [];
  readonly frames: string[] = [];
  closed: { code: number; reason: string } | null = null;
  readonly #waiting = new Set<() => void>();
  readonly #taken = new Set<ServerMessage>();

  abstract sendRaw(frame: string): void;

  send(message: ClientMessageInput): void {
    this.sendRaw(JSON.stringify(message));
  }

  /** The next message of that type which no earlier call has taken. */
  async next<T extends Type>(
    type: T,
    where: (message: ServerMessageOf<T>) => boolean = () => true,
  ): Promise<ServerMessageOf<T>> {
    const isOfType = (message: ServerMessage): message is ServerMessageOf<T> => message.type === type;
    const look = () => this.heard.find((m) => isOfType(m) && !this.#taken.has(m) && where(m));
    const message = await this.until(look, type);
    this.#taken.add(message);
    if (!isOfType(message)) throw new Error("found by its type");
    return message;
  }

  /** Sends a command with an id and waits for whatever replies to it. */
  async ask(message: ClientMessageInput): Promise<ServerMessage> {
    const id = crypto.randomUUID();
    this.send({ ...message, id });
    const reply = () => this.heard.find((heard) => "re" in heard && heard.re === id);
    await this.until(() => reply() ?? this.closed ?? undefined, `a reply to ${message.type}`);
    const replied = reply();
    if (!replied) throw new Error(`the socket closed before the reply to ${message.type}`);
    return replied;
  }

  /** A round trip past the object's own handling: what it had sent before is here when this returns. */
  async settle(): Promise<void> {
    const pongs = () => this.frames.filter((frame) => frame === "pong").length;
    const before = pongs();
    this.sendRaw("ping");
    await this.until(() => pongs() > before || undefined, "pong");
  }

  async untilClosed(): Promise<{ code: number; reason: string }> {
    return this.until(() => this.closed ?? undefined, "the socket's end");
  }

  /** What it heard, as `type` or `type:reason`, in order. */
  story(): string[] {
    return this.heard.map((m) => ("reason" in m && m.reason !== undefined ? `${m.type}:${m.reason}` : m.type));
  }

  async until<T>(look: () => T | undefined, what: string): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const failed = () => new Error(`${what} did not come; heard: ${this.story().join(", ")}`);
    const timer = setTimeout(() => reject(failed()), PATIENCE_MS);
    const check = () => {
      const found = look();
      if (found !== undefined) resolve(found);
    };
    this.#waiting.add(check);
    check();
    return promise.finally(() => {
      clearTimeout(timer);
      this.#waiting.delete(check);
    });
  }

  protected hear(frame: string): void {
    this.frames.push(frame);
    const message = parseServerFrame(frame);
    if (message) this.heard.push(message);
    this.#wake();
  }

  protected hasClosed(code: number, reason: string): void {
    this.closed = { code, reason };
    this.#wake();
  }

  #wake(): void {
    for (const check of [...this.#waiting]) check();
  }
}
