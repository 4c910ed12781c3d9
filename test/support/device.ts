import { once } from "node:events";
import WebSocket from "ws";
import type { ClientMessageInput } from "../../schema/client-messages.ts";
import { parseServerFrame, type ServerMessage, type ServerMessageOf } from "../../schema/server-messages.ts";

/** How long a device waits for what must come. Only a failure ever takes this long. */
const PATIENCE_MS = 8_000;

type Type = ServerMessage["type"];

/** A device of a user on one real WebSocket: it keeps what it hears and waits for what it expects. */
export class Device {
  readonly heard: ServerMessage[] = [];
  readonly frames: string[] = [];
  closed: { code: number; reason: string } | null = null;
  readonly #socket: WebSocket;
  readonly #waiting = new Set<() => void>();
  readonly #taken = new Set<ServerMessage>();
  readonly userId: string;
  readonly deviceId: string;

  private constructor(socket: WebSocket, userId: string, deviceId: string) {
    this.#socket = socket;
    this.userId = userId;
    this.deviceId = deviceId;
    socket.on("message", (data) => this.#hear(data.toString()));
    socket.on("close", (code, reason) => {
      this.closed = { code, reason: reason.toString() };
      this.#wake();
    });
    socket.on("error", () => {});
  }

  /** Opens a socket with the subprotocols that a browser would offer. */
  static async open(url: string, token: string, userId: string, deviceId: string): Promise<Device> {
    const socket = new WebSocket(url, ["switchboard.v1", `bearer.${token}`]);
    const device = new Device(socket, userId, deviceId);
    await once(socket, "open");
    return device;
  }

  async register(more: { deviceName?: string } = {}): Promise<ServerMessageOf<"registered">> {
    this.send({ type: "register", deviceId: this.deviceId, deviceType: "Web", ...more });
    return this.next("registered");
  }

  send(message: ClientMessageInput): void {
    this.#socket.send(JSON.stringify(message));
  }

  sendRaw(frame: string | Buffer): void {
    this.#socket.send(frame);
  }

  /** The next message of that type which no earlier call has taken. */
  async next<T extends Type>(
    type: T,
    where: (m: ServerMessageOf<T>) => boolean = () => true,
  ): Promise<ServerMessageOf<T>> {
    const isWanted = (message: ServerMessage): message is ServerMessageOf<T> =>
      message.type === type && !this.#taken.has(message) && where(message as ServerMessageOf<T>);
    const message = await this.until(() => this.heard.find(isWanted), type);
    this.#taken.add(message);
    return message;
  }

  /** Sends a command with an id and waits for whatever replies to it. */
  async ask(message: ClientMessageInput): Promise<ServerMessage> {
    const id = crypto.randomUUID();
    this.send({ ...message, id });
    return this.until(() => this.heard.find((reply) => "re" in reply && reply.re === id), `a reply to ${message.type}`);
  }

  /** A round trip: whatever the server had sent before is here when it returns. */
  async settle(): Promise<void> {
    const before = this.frames.filter((frame) => frame === "pong").length;
    this.sendRaw("ping");
    await this.until(() => this.frames.filter((frame) => frame === "pong").length > before || undefined, "pong");
  }

  async untilClosed(): Promise<{ code: number; reason: string }> {
    return this.until(() => this.closed ?? undefined, "the socket's end");
  }

  /** What it heard of a call, as `type` or `type:reason`, in order. */
  story(): string[] {
    return this.heard.map((message) =>
      "reason" in message && message.reason ? `${message.type}:${message.reason}` : message.type,
    );
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.#socket.close(1000);
    await this.untilClosed();
  }

  /** As when the network goes: no close frame. */
  vanish(): void {
    this.#socket.terminate();
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

  #hear(frame: string): void {
    this.frames.push(frame);
    const message = parseServerFrame(frame);
    if (message) this.heard.push(message);
    this.#wake();
  }

  #wake(): void {
    for (const check of [...this.#waiting]) check();
  }
}
