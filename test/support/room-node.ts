import { env, exports } from "cloudflare:workers";
import { expect, vi } from "vitest";
import { type NodeHeartbeat, parseFleetFrame } from "../../schema/fleet.ts";
import { type FromNode, parseToNode, type ToNode } from "../../schema/room-socket.ts";
import { PATIENCE } from "./patience.ts";

const ORIGIN = "http://switchboard.test";
const IDLE: NodeHeartbeat = {
  type: "node_heartbeat",
  load: { workers: 1, consumers: 0, cpu: 0, packetRate: 0 },
  rooms: 0,
  draining: false,
};

type ToNodeOf<T extends ToNode["type"]> = Extract<ToNode, { type: T }>;

export function nodeRequest(path: string, key: string = env.SFU_NODE_KEY, upgrade = "websocket"): Request {
  const headers = new Headers(upgrade === "" ? {} : { upgrade });
  if (key !== "") headers.set("authorization", `Bearer ${key}`);
  return new Request(`${ORIGIN}${path}`, { headers });
}

async function dial(path: string): Promise<WebSocket> {
  const { webSocket } = await exports.default.fetch(nodeRequest(path));
  if (!webSocket) throw new Error("the upgrade was refused");
  return webSocket;
}

/** A room on a scripted node: what the call says to it, and what it says back. */
export class NodeRoom {
  readonly callId: string;
  readonly epoch: number;
  readonly nodeId: string;
  readonly heard: ToNode[] = [];
  /** It lets in whoever asks, and answers whatever it is asked. */
  isObliging = true;
  closed: number | null = null;
  #socket: WebSocket | null = null;
  #unanswered: ToNode[] = [];
  readonly #taken = new Set<ToNode>();

  constructor(callId: string, epoch: number, nodeId: string) {
    this.callId = callId;
    this.epoch = epoch;
    this.nodeId = nodeId;
  }

  async dial(): Promise<void> {
    const socket = await dial(`/sfu/rooms/${this.callId}?epoch=${this.epoch}&nodeId=${this.nodeId}`);
    this.closed = null;
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => this.#hear(String(data)));
    socket.addEventListener("close", ({ code }) => {
      if (this.#socket === socket) this.closed = code;
    });
    socket.accept();
  }

  say(message: FromNode): void {
    this.#socket?.send(JSON.stringify(message));
  }

  sayRaw(frame: string): void {
    this.#socket?.send(frame);
  }

  /** Answers what it has been asked so far. */
  obliges(): void {
    for (const message of this.#unanswered.splice(0)) this.#oblige(message);
  }

  /** The process dies, or hangs up: its peer sees no more than a closed socket. */
  dies(): void {
    this.#socket?.close(1001);
  }

  async next<T extends ToNode["type"]>(type: T): Promise<ToNodeOf<T>> {
    const isOfType = (message: ToNode): message is ToNodeOf<T> => message.type === type;
    const found = await vi.waitUntil(() => this.heard.find((m) => isOfType(m) && !this.#taken.has(m)), PATIENCE);
    this.#taken.add(found);
    if (!isOfType(found)) throw new Error("found by its type");
    return found;
  }

  async untilOpen(): Promise<void> {
    await vi.waitUntil(() => this.#socket, PATIENCE);
  }

  async untilClosed(): Promise<number> {
    return vi.waitUntil(() => this.closed ?? undefined, PATIENCE);
  }

  #hear(frame: string): void {
    const message = parseToNode(frame);
    if (!message) throw new Error(`no message of the protocol: ${frame}`);
    this.heard.push(message);
    this.#unanswered.push(message);
    if (this.isObliging) this.obliges();
  }

  #oblige(message: ToNode): void {
    switch (message.type) {
      case "participant_join": {
        const { id: re, participantId, muted } = message;
        this.say({ type: "participant_joined", re, participantId, sdp: "answer", tracks: [] });
        const tracks = [{ source: "microphone" as const, muted: muted.includes("microphone") }];
        this.say({ type: "participant_tracks", participantId, tracks });
        return;
      }
      case "participant_offer":
        this.say({
          type: "offer_answered",
          re: message.id,
          participantId: message.participantId,
          sdp: "answer",
          tracks: [],
        });
        return;
      case "room_probe":
        this.say({ type: "room_alive", re: message.id });
        return;
      default:
    }
  }
}

/** An SFU node as the edge knows one: it registers, and dials the rooms that it is asked to open. */
export class RoomNode {
  readonly nodeId: string = crypto.randomUUID();
  readonly rooms: NodeRoom[] = [];
  /** It dials what it is asked to. */
  isDialling = true;
  #socket: WebSocket | null = null;

  static async start(region = "local"): Promise<RoomNode> {
    const node = new RoomNode();
    await node.#register(region);
    return node;
  }

  async #register(region: string): Promise<void> {
    const socket = await dial(`/sfu/nodes?region=${region}`);
    const heard: string[] = [];
    socket.addEventListener("message", ({ data }) => {
      const message = parseFleetFrame(String(data));
      if (message) heard.push(message.type);
      if (message?.type === "room_open") void this.#open(message.callId, message.epoch);
    });
    socket.accept();
    this.#socket = socket;
    const about = { region, version: "0.1.0", protocol: 1, capacity: { workers: 1, consumers: 4_000 } };
    const { nodeId } = this;
    socket.send(JSON.stringify({ type: "node_register", nodeId, announcedAddress: "127.0.0.1", ...about }));
    this.#beat();
    await vi.waitUntil(() => heard.includes("node_lease"), PATIENCE);
  }

  /** From now on it takes no new rooms, and its fleet knows. */
  drains(): void {
    this.#beat({ draining: true });
  }

  async room(epoch: number, callId?: string): Promise<NodeRoom> {
    const isIt = (room: NodeRoom) => room.epoch === epoch && (callId === undefined || room.callId === callId);
    return vi.waitUntil(() => this.rooms.find(isIt), PATIENCE);
  }

  /** The process dies. */
  dies(): void {
    for (const room of this.rooms) room.dies();
    this.#socket?.close(1001);
  }

  async leaves(region = "local"): Promise<void> {
    this.dies();
    const isListed = async () =>
      (await env.FLEET.getByName(region).nodes()).some(({ nodeId }) => nodeId === this.nodeId);
    await expect.poll(isListed).toBe(false);
  }

  async #open(callId: string, epoch: number): Promise<void> {
    const room = new NodeRoom(callId, epoch, this.nodeId);
    this.rooms.push(room);
    if (this.isDialling) await room.dial();
  }

  #beat(changes: Partial<NodeHeartbeat> = {}): void {
    this.#socket?.send(JSON.stringify({ ...IDLE, ...changes }));
  }
}
