import type { PipeAddress } from "../../schema/room-pipe.ts";
import type { FromNode, ToNode } from "../../schema/room-socket.ts";
import { HostedRoom } from "../../sfu-node/room/hosted-room.ts";
import { Queue } from "../../sfu-node/room/queue.ts";
import { WorkerPool } from "../../sfu-node/workers.ts";
import { ensureMediasoupWorker } from "../../tools/setup/mediasoup-worker.ts";

const CALL = "0190a000-0000-7000-8000-000000000001";
const NODES = ["0190a000-0000-7000-8000-0000000000a1", "0190a000-0000-7000-8000-0000000000a2"];

/** Who is in a room, as a test plays them. */
export interface InRoom {
  hear(message: FromNode): void;
}

/** mediasoup workers, one for each node of a test. */
export async function openWorkers(count: number): Promise<WorkerPool> {
  const workerBin = await ensureMediasoupWorker({ log: () => {} });
  const address = { listenIp: "127.0.0.1", announcedAddress: "127.0.0.1", rtcPort: 0 };
  return WorkerPool.open({ count, ...address, workerBin, log: () => {} });
}

/** One room over some nodes, and in between what the CallObject does: it carries messages. */
export class RoomOnNodes {
  readonly rooms: HostedRoom[] = [];
  /** What the nodes logged as failed: nothing may be. */
  readonly failures: string[] = [];
  readonly heard: FromNode[] = [];
  readonly people = new Map<string, InRoom>();
  readonly #queue = new Queue();
  readonly #addresses = new Map<number, PipeAddress>();

  static async open(pool: WorkerPool, lastN = 32): Promise<RoomOnNodes> {
    const whole = new RoomOnNodes();
    for (const [index, mediaWorker] of pool.alive.entries()) {
      whole.rooms.push(
        await HostedRoom.open({
          callId: CALL,
          mediaWorker,
          lastN,
          pipeListenInfo: { protocol: "udp", ip: "127.0.0.1" },
          announcedAddress: "127.0.0.1",
          log: (event, fields) => whole.failures.push(`${event} ${JSON.stringify(fields)}`),
          send: (message) => whole.#carry(index, message),
        }),
      );
    }
    return whole;
  }

  /** Joins the two first nodes by a pipe. */
  async pipe(): Promise<void> {
    for (const index of [0, 1]) await this.tell(index, { type: "pipe_open", peerNodeId: nodeId(1 - index) });
    for (const [index, address] of this.#addresses) {
      await this.tell(1 - index, { type: "pipe_connect", peerNodeId: nodeId(index), address });
    }
  }

  /** One after another, as a socket brings them. */
  async tell(index: number, message: ToNode): Promise<void> {
    await this.#queue.run(async () => this.rooms[index]?.handle(message));
  }

  close(): void {
    for (const room of this.rooms) room.close();
  }

  #carry(index: number, message: FromNode): void {
    this.heard.push(message);
    switch (message.type) {
      case "pipe_opened":
        this.#addresses.set(index, message.address);
        break;
      case "pipe_track":
      case "pipe_track_changed":
        void this.tell(1 - index, { ...message, peerNodeId: nodeId(index) });
        break;
      default:
        if ("participantId" in message) this.people.get(message.participantId)?.hear(message);
    }
  }
}

function nodeId(index: number): string {
  const id = NODES[index];
  if (id === undefined) throw new Error("there are two nodes");
  return id;
}
