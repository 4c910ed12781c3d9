import { CLOSE_ROOM_OVER, CLOSE_STALE_EPOCH, type ToNode } from "../../schema/room-socket.ts";
import { CLOSE_REPLACED, close } from "../socket.ts";
import type { NodeRef } from "./events.ts";
import { type Kept, kept, restored } from "./hibernation.ts";
import type { Live } from "./state.ts";

/** What tells these sockets from those of devices. */
const TAG = "room";

/** One, or without `nodeId` all of an epoch. */
type Nodes = Pick<NodeRef, "epoch"> & Partial<NodeRef>;

/** What hibernates with a node's socket. */
interface RoomAttachment {
  readonly epoch: number;
  readonly nodeId: string;
  readonly kept: Kept | null;
}

/** The sockets that nodes have dialled to the room of a call: one, several where it spans them, or two while it moves. */
export class RoomSockets {
  readonly #ctx: DurableObjectState;

  constructor(ctx: DurableObjectState) {
    this.#ctx = ctx;
  }

  has(socket: WebSocket): boolean {
    return this.#ctx.getTags(socket).includes(TAG);
  }

  /** An older one of the same node is dead, or will be in a moment. */
  accept(epoch: number, nodeId: string): Response {
    const older = this.#of({ epoch, nodeId });
    const { 0: client, 1: server } = new WebSocketPair();
    this.#ctx.acceptWebSocket(server, [TAG]);
    server.serializeAttachment({ epoch, nodeId, kept: null } satisfies RoomAttachment);
    for (const socket of older) close(socket, CLOSE_REPLACED, "replaced by a newer connection of this node");
    return new Response(null, { status: 101, webSocket: client });
  }

  /** Closed after the upgrade, with a code that says why: the node tells it from an edge that is away. */
  refuse(): Response {
    const { 0: client, 1: server } = new WebSocketPair();
    server.accept();
    server.close(CLOSE_STALE_EPOCH, "this epoch is not placed on this node");
    return new Response(null, { status: 101, webSocket: client });
  }

  nodes(): NodeRef[] {
    return this.#open().map((socket) => this.nodeOf(socket));
  }

  send(node: NodeRef, message: ToNode): void {
    for (const socket of this.#of(node)) {
      try {
        socket.send(JSON.stringify(message));
      } catch {
        // The node has gone: its close event follows.
      }
    }
  }

  close(nodes: Nodes, why: "stale" | "over"): void {
    const [code, reason] =
      why === "over"
        ? ([CLOSE_ROOM_OVER, "the room is over"] as const)
        : ([CLOSE_STALE_EPOCH, "the room is elsewhere"] as const);
    for (const socket of this.#of(nodes)) close(socket, code, reason);
  }

  keep(live: Live): void {
    const shared = kept(live);
    for (const socket of this.#open()) {
      const { epoch, nodeId } = attachment(socket);
      socket.serializeAttachment({ epoch, nodeId, kept: shared } satisfies RoomAttachment);
    }
  }

  /** What was kept, of the newest room. */
  kept(): Live | null {
    const all = this.#ctx.getWebSockets(TAG).map(attachment);
    const newest = all.sort((a, b) => b.epoch - a.epoch).find((each) => each.kept);
    return newest?.kept ? restored(newest.kept) : null;
  }

  /** Whose socket it was, if there is no newer one of the same. */
  left(socket: WebSocket): NodeRef | null {
    const node = this.nodeOf(socket);
    const isReplaced = this.#of(node).some((other) => other !== socket);
    return isReplaced ? null : node;
  }

  nodeOf(socket: WebSocket): NodeRef {
    const { epoch, nodeId } = attachment(socket);
    return { epoch, nodeId };
  }

  #of({ epoch, nodeId }: Nodes): WebSocket[] {
    return this.#open().filter((socket) => {
      const node = attachment(socket);
      return node.epoch === epoch && (nodeId ?? node.nodeId) === node.nodeId;
    });
  }

  #open(): WebSocket[] {
    return this.#ctx.getWebSockets(TAG).filter(({ readyState }) => readyState === WebSocket.OPEN);
  }
}

function attachment(socket: WebSocket): RoomAttachment {
  return socket.deserializeAttachment();
}
