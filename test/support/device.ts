import { once } from "node:events";
import WebSocket from "ws";
import type { ServerMessageOf } from "../../schema/server-messages.ts";
import { Listener } from "./listener.ts";

/** A device of a user on one real WebSocket. */
export class Device extends Listener {
  readonly userId: string;
  readonly deviceId: string;
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket, userId: string, deviceId: string) {
    super();
    this.#socket = socket;
    this.userId = userId;
    this.deviceId = deviceId;
    socket.on("message", (data) => this.hear(data.toString()));
    socket.on("close", (code, reason) => this.hasClosed(code, reason.toString()));
    socket.on("error", () => {});
  }

  /** Opens a socket with the subprotocols that a browser would offer. */
  static async open(url: string, token: string, userId: string, deviceId: string): Promise<Device> {
    const socket = new WebSocket(url, ["switchboard.v1", `bearer.${token}`]);
    const device = new Device(socket, userId, deviceId);
    await once(socket, "open");
    return device;
  }

  /** The HTTP status with which an upgrade is refused. */
  static async refusal(url: string, token: string): Promise<number | undefined> {
    const socket = new WebSocket(url, ["switchboard.v1", `bearer.${token}`]);
    socket.on("error", () => {});
    const [, response] = await once(socket, "unexpected-response");
    socket.terminate();
    return response.statusCode;
  }

  async register(more: { deviceName?: string } = {}): Promise<ServerMessageOf<"registered">> {
    this.send({ type: "register", deviceId: this.deviceId, deviceType: "Web", ...more });
    return this.next("registered");
  }

  override sendRaw(frame: string | Buffer): void {
    this.#socket.send(frame);
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
}
