import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import WebSocket, { WebSocketServer } from "ws";
import { type FromNode, parseFromNode, parseToNode } from "../../schema/room-socket.ts";

/** Stands between a node and the edge, and notes what the two say on the node's room sockets. */
export class TappedEdge {
  /** By the node. */
  readonly said: FromNode[] = [];
  /** By the edge: of whom it says that they leave. */
  readonly left: string[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(edge: string): Promise<TappedEdge> {
    const server = createServer();
    const tapped = new TappedEdge(server);
    const sockets = new WebSocketServer({ server });
    sockets.on("connection", (down, { url, headers: { authorization } }) => {
      const up = new WebSocket(`${edge}${url}`, { headers: { ...(authorization && { authorization }) } });
      tapped.#join(down, up);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return tapped;
  }

  get url(): string {
    const { port } = addressOf(this.#server);
    return `http://127.0.0.1:${port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #join(down: WebSocket, up: WebSocket): void {
    const opened = once(up, "open");
    opened.catch(() => down.terminate());
    down.on("message", (data) => {
      const frame = data.toString();
      const parsed = parseFromNode(frame);
      if (parsed.ok) this.said.push(parsed.message);
      void opened.then(
        () => up.send(frame),
        () => {},
      );
    });
    up.on("message", (data) => {
      const message = parseToNode(data.toString());
      if (message?.type === "participant_leave") this.left.push(message.participantId);
      down.send(data.toString());
    });
    down.on("close", () => up.terminate());
    // What the edge says with it is for the node; a connection that broke says nothing.
    up.on("close", (code) => (code >= 4000 ? down.close(code) : down.terminate()));
    up.on("error", () => {});
  }
}

function addressOf(server: Server): AddressInfo {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server does not listen");
  return address;
}
