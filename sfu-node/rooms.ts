import { setTimeout as delay } from "node:timers/promises";
import type { types } from "mediasoup";
import type { RoomOpen } from "../schema/fleet.ts";
import type { ToNode } from "../schema/room-socket.ts";
import { type Log, problem, short } from "./log.ts";
import { HostedRoom } from "./room/hosted-room.ts";
import { Queue } from "./room/queue.ts";
import { RoomSocket } from "./room-socket.ts";
import type { MediaWorker, WorkerPool } from "./workers.ts";

/** The first and the last one. */
interface Ports {
  readonly min: number;
  readonly max: number;
}

export interface RoomsOptions {
  readonly edgeUrl: URL;
  readonly nodeKey: string;
  readonly nodeId: string;
  readonly lastN: number;
  readonly pool: WorkerPool;
  readonly listenIp: string;
  readonly announcedAddress: string;
  readonly pipePorts: Ports;
  readonly log: Log;
}

interface OpenRoom {
  readonly epoch: number;
  drain(deadlineMs: number): void;
  close(): void;
}

/** The rooms that this node serves: each as long as its socket to the edge is not told that it is over. */
export class Rooms {
  readonly #options: RoomsOptions;
  readonly #open = new Map<string, OpenRoom>();
  readonly #empty = Promise.withResolvers<void>();
  #isDraining = false;

  constructor(options: RoomsOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#open.size;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** The fleet has placed a room here. Without a worker nobody dials, and the room goes to another node. */
  async open({ callId, epoch }: RoomOpen): Promise<void> {
    const former = this.#open.get(callId);
    if (this.#isDraining || (former && former.epoch >= epoch)) return;
    former?.close();
    const mediaWorker = leastBusy(this.#options.pool.alive);
    if (!mediaWorker) return;
    try {
      await this.#start(callId, epoch, mediaWorker);
      this.#options.log("room_opened", { call: short(callId), epoch });
    } catch (error) {
      this.#options.log("room_failed", { call: short(callId), problem: problem(error) });
    }
  }

  async #start(callId: string, epoch: number, mediaWorker: MediaWorker): Promise<void> {
    const { edgeUrl, nodeKey, nodeId, lastN, announcedAddress, log } = this.#options;
    const about = { callId, mediaWorker, lastN, announcedAddress, pipeListenInfo: this.#pipeListenInfo, log };
    // Messages of one participant keep their order also before the room is ready.
    const queue = new Queue();
    const hosted = HostedRoom.open({ ...about, send: (message) => socket.send(message) });
    const handle = (message: ToNode) => void queue.run(async () => (await hosted).handle(message));
    const close = () => {
      if (this.#open.get(callId) === room) this.#open.delete(callId);
      if (this.#isDraining && this.#open.size === 0) this.#empty.resolve();
      socket.close();
      void hosted.then(
        (open) => open.close(),
        () => {},
      );
      log("room_closed", { call: short(callId), epoch });
    };
    const drain = (deadlineMs: number) => socket.send({ type: "room_draining", deadlineMs });
    const room = { epoch, drain, close };
    const again = () => void queue.run(async () => (await hosted).tellAll());
    const dialled = { edgeUrl, nodeKey, nodeId, callId, epoch, log };
    const socket = new RoomSocket({ ...dialled, onMessage: handle, onAgain: again, onOver: close });
    this.#open.set(callId, room);
    mediaWorker.worker.once("died", close);
    await hosted;
  }

  /** Takes no room any more, and asks for those that it has to be moved. Returns when they are, or at the deadline. */
  async drain(deadlineMs: number): Promise<void> {
    this.#isDraining = true;
    if (this.#open.size === 0) return;
    this.#options.log("sfu_draining", { rooms: this.#open.size });
    for (const room of this.#open.values()) room.drain(deadlineMs);
    await Promise.race([this.#empty.promise, delay(deadlineMs, undefined, { ref: false })]);
  }

  get #pipeListenInfo(): types.TransportListenInfo {
    const { listenIp, announcedAddress, pipePorts } = this.#options;
    const announced = announcedAddress === listenIp ? {} : { announcedAddress };
    return { protocol: "udp", ip: listenIp, ...announced, portRange: pipePorts };
  }

  async close(): Promise<void> {
    this.#isDraining = true;
    for (const room of [...this.#open.values()]) room.close();
  }
}

function leastBusy(workers: readonly MediaWorker[]): MediaWorker | null {
  return workers.reduce<MediaWorker | null>(
    (best, one) => (best && best.consumers.size <= one.consumers.size ? best : one),
    null,
  );
}
