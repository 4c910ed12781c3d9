import { once } from "node:events";
import { createServer } from "node:http";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { RoomSocket } from "../../sfu-node/room-socket.ts";
import { PATIENCE_MS } from "../support/patience.ts";

/** As in the module: how often it asks. */
const PING_MS = 10_000;

let room: RoomSocket;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
});
afterEach(() => {
  room.close();
  vi.useRealTimers();
});

/** An edge that answers pings, or has gone without a word. */
async function dial(autoPong: boolean): Promise<{ edge: WebSocketServer; socket: WebSocket }> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const edge = new WebSocketServer({ server, autoPong });
  const address = server.address();
  const port = typeof address === "object" ? address?.port : 0;
  const nothing = () => {};
  const about = { nodeKey: "key", nodeId: crypto.randomUUID(), callId: crypto.randomUUID(), epoch: 1, log: nothing };
  const dialled = once(edge, "connection");
  const edgeUrl = new URL(`http://127.0.0.1:${port}`);
  room = new RoomSocket({ ...about, edgeUrl, onMessage: nothing, onAgain: nothing, onOver: nothing });
  const [socket] = await dialled;
  return { edge, socket };
}

/** The next of its pings, once it is open; then it has had the answer too, if there is one. */
async function pinged(socket: WebSocket): Promise<void> {
  const ping = once(socket, "ping");
  await vi.waitFor(() => expect(vi.getTimerCount()).toBe(1), PATIENCE_MS);
  vi.advanceTimersByTime(PING_MS);
  await ping;
  const pong = once(socket, "pong");
  socket.ping();
  await pong;
}

it("dials again when the edge answers no ping any more: a network that was cut closes nothing", async () => {
  const { edge, socket } = await dial(false);
  await pinged(socket);
  const again = once(edge, "connection");
  vi.advanceTimersByTime(PING_MS);
  await again;
  edge.close();
});

it("[ROOM-18] stays with an edge that answers, and asks nobody once it is closed", async () => {
  const { edge, socket } = await dial(true);
  for (let i = 0; i < 3; i++) await pinged(socket);
  expect(edge.clients.size).toBe(1);
  const closed = once(socket, "close");
  room.close();
  await closed;
  expect(vi.getTimerCount()).toBe(0);
  edge.close();
});
