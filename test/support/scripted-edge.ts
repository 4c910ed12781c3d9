import { createServer, type IncomingMessage } from "node:http";
import { type WebSocket, WebSocketServer } from "ws";
import { type ClientMessage, parseClientFrame } from "../../schema/client-messages.ts";
import { ServerMessage, type ServerMessageOf } from "../../schema/server-messages.ts";

type ClientMessageOf<T extends ClientMessage["type"]> = Extract<ClientMessage, { type: T }>;

/** One socket of the client under test, as the script sees it. */
export class ScriptedConnection {
  readonly path: string;
  readonly protocols: readonly string[];
  readonly received: (ClientMessage | "ping")[] = [];
  readonly #socket: WebSocket;
  #wake: () => void = () => {};

  constructor(socket: WebSocket, request: IncomingMessage) {
    this.#socket = socket;
    this.path = request.url ?? "";
    this.protocols = (request.headers["sec-websocket-protocol"] ?? "").split(",").map((name) => name.trim());
    socket.on("message", (data) => this.#receive(String(data)));
  }

  /** The next message of this type, taken out of what has come. */
  async next<T extends ClientMessage["type"]>(type: T): Promise<ClientMessageOf<T>> {
    for (;;) {
      const found = this.received.find((message) => message !== "ping" && message.type === type);
      if (found) {
        this.received.splice(this.received.indexOf(found), 1);
        if (isOfType(found, type)) return found;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async ping(): Promise<void> {
    while (!this.received.includes("ping")) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.received.splice(this.received.indexOf("ping"), 1);
  }

  /** Only what the wire allows: a script that strays fails here. */
  send(message: ServerMessage): void {
    this.#socket.send(JSON.stringify(ServerMessage.parse(message)));
  }

  sendRaw(frame: string): void {
    this.#socket.send(frame);
  }

  close(code = 1001): void {
    this.#socket.close(code);
  }

  #receive(frame: string): void {
    if (frame === "ping") this.received.push("ping");
    else {
      const parsed = parseClientFrame(frame);
      if (!parsed.ok) throw new Error(`the client sent what the wire refuses: ${parsed.refusal.message}: ${frame}`);
      this.received.push(parsed.message);
    }
    this.#wake();
  }
}

function isOfType<T extends ClientMessage["type"]>(
  message: ClientMessage | "ping",
  type: T,
): message is ClientMessageOf<T> {
  return message !== "ping" && message.type === type;
}

/** A real WebSocket and HTTP server on the loopback that says only what a test scripts. */
export class ScriptedEdge {
  readonly #server = createServer((_request, response) => {
    response.setHeader("content-type", "application/json");
    response.end(
      JSON.stringify({ iceServers: [{ urls: ["stun:127.0.0.1:3478"] }], iceTransportPolicy: "all", ttl: 300 }),
    );
  });
  readonly #sockets = new WebSocketServer({ server: this.#server, handleProtocols: () => "switchboard.v1" });
  readonly #connections: ScriptedConnection[] = [];
  #wake: () => void = () => {};

  static async start(): Promise<ScriptedEdge> {
    const edge = new ScriptedEdge();
    edge.#sockets.on("connection", (socket, request) => {
      edge.#connections.push(new ScriptedConnection(socket, request));
      edge.#wake();
    });
    await new Promise<void>((resolve) => edge.#server.listen(0, "127.0.0.1", resolve));
    return edge;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("not listening");
    return `http://127.0.0.1:${address.port}`;
  }

  /** The next socket that the client opens to this path. */
  async connection(path: string): Promise<ScriptedConnection> {
    for (;;) {
      const index = this.#connections.findIndex((connection) => connection.path === path);
      const [found] = index < 0 ? [] : this.#connections.splice(index, 1);
      if (found) return found;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** The next socket to this path, registered. */
  async registered(
    path: string,
    userId: string,
    calls: ServerMessageOf<"registered">["calls"] = [],
  ): Promise<ScriptedConnection> {
    const connection = await this.connection(path);
    const { deviceId } = await connection.next("register");
    connection.send({ type: "registered", userId, deviceId, seq: 7, heartbeatMs: 20_000, calls });
    return connection;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#sockets.close();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
