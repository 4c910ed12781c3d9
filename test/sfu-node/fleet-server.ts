import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { type WebSocket, WebSocketServer } from "ws";
import { type FleetMessage, type NodeMessage, parseNodeFrame } from "../../schema/fleet.ts";
import { type FromNode, parseFromNode, type ToNode } from "../../schema/room-socket.ts";

/** Takes from a queue in order, waiting where it is empty. */
class Queue<T> {
  readonly #items: T[] = [];
  readonly #takers: ((item: T) => void)[] = [];

  put(item: T): void {
    const taker = this.#takers.shift();
    if (taker) taker(item);
    else this.#items.push(item);
  }

  get size(): number {
    return this.#items.length;
  }

  take(): Promise<T> {
    const item = this.#items.shift();
    return item === undefined ? new Promise((resolve) => this.#takers.push(resolve)) : Promise.resolve(item);
  }
}

/** The fleet's end of one registration socket. */
export class FleetConnection {
  readonly request: IncomingMessage;
  readonly closed: Promise<number>;
  readonly #socket: WebSocket;
  readonly #messages = new Queue<NodeMessage>();

  constructor(socket: WebSocket, request: IncomingMessage) {
    this.#socket = socket;
    this.request = request;
    this.closed = once(socket, "close").then(([code]) => Number(code));
    socket.on("message", (data, isBinary) => {
      const parsed = parseNodeFrame(isBinary ? new ArrayBuffer(0) : String(data));
      if (!parsed.ok) throw new Error(`the node sent a bad frame: ${parsed.refusal.message}`);
      this.#messages.put(parsed.message);
    });
  }

  next(): Promise<NodeMessage> {
    return this.#messages.take();
  }

  async heartbeat(): Promise<Extract<NodeMessage, { type: "node_heartbeat" }>> {
    const message = await this.next();
    if (message.type !== "node_heartbeat") throw new Error(`expected a heartbeat, got ${message.type}`);
    return message;
  }

  send(message: FleetMessage): void {
    this.#socket.send(JSON.stringify(message));
  }

  /** Takes the registration and answers it; the short times let tests run at the pace of events. */
  async register(times: { heartbeatMs: number; leaseMs: number }): Promise<NodeMessage> {
    const registration = await this.next();
    this.send({ type: "node_registered", ...times });
    return registration;
  }

  close(code: number): void {
    this.#socket.close(code);
  }

  crash(): void {
    this.#socket.terminate();
  }
}

/** The call's end of one room socket. */
export class RoomSocketServer {
  readonly request: IncomingMessage;
  readonly closed: Promise<number>;
  readonly #socket: WebSocket;
  readonly #messages = new Queue<FromNode>();

  constructor(socket: WebSocket, request: IncomingMessage) {
    this.#socket = socket;
    this.request = request;
    this.closed = once(socket, "close").then(([code]) => Number(code));
    socket.on("message", (data) => {
      const parsed = parseFromNode(String(data));
      if (!parsed.ok) throw new Error(`the node sent a bad frame: ${parsed.refusal.message}`);
      this.#messages.put(parsed.message);
    });
  }

  /** What the node has sent, and nobody has taken. */
  get waiting(): number {
    return this.#messages.size;
  }

  next(): Promise<FromNode> {
    return this.#messages.take();
  }

  send(message: ToNode): void {
    this.#socket.send(JSON.stringify(message));
  }

  /** The node has taken all that was sent: it answers a ping (RFC 6455, section 5.5.2) after what came before. */
  async taken(): Promise<void> {
    const pong = once(this.#socket, "pong");
    this.#socket.ping();
    await pong;
  }

  close(code: number): void {
    this.#socket.close(code);
  }

  crash(): void {
    this.#socket.terminate();
  }
}

/** A fleet that the test plays: real sockets on a port of this machine. */
export class FleetServer {
  readonly #http: Server;
  readonly #sockets: WebSocketServer;
  readonly #connections = new Queue<FleetConnection>();
  readonly #rooms = new Queue<RoomSocketServer>();
  /** Answered instead of an upgrade, once each. */
  readonly #refusals: number[] = [];

  private constructor(http: Server) {
    this.#http = http;
    this.#sockets = new WebSocketServer({ noServer: true });
    http.on("upgrade", (request, socket, head) => {
      const status = this.#refusals.shift();
      if (status !== undefined) {
        socket.end(`HTTP/1.1 ${status} Refused\r\nconnection: close\r\n\r\n`);
        return;
      }
      this.#sockets.handleUpgrade(request, socket, head, (accepted) => {
        if (request.url?.startsWith("/sfu/rooms/")) this.#rooms.put(new RoomSocketServer(accepted, request));
        else this.#connections.put(new FleetConnection(accepted, request));
      });
    });
  }

  /** @param port 0 for any free one */
  static async start(port = 0): Promise<FleetServer> {
    const http = createServer();
    http.listen(port, "127.0.0.1");
    await once(http, "listening");
    return new FleetServer(http);
  }

  get port(): number {
    const address = this.#http.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    return address.port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The next dialled socket is refused with this status. */
  refuse(status: number): void {
    this.#refusals.push(status);
  }

  connection(): Promise<FleetConnection> {
    return this.#connections.take();
  }

  room(): Promise<RoomSocketServer> {
    return this.#rooms.take();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#http.close();
    await once(this.#http, "close");
  }
}
