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
  readonly mediaWorker: MediaWorker;
  /** Rejected where mediasoup cannot make it. */
  readonly opened: Promise<unknown>;
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
    const mediaWorker = leastBusy(this.#options.pool.alive, [...this.#open.values()]);
    if (!mediaWorker) return;
    const room = this.#start(callId, epoch, mediaWorker);
    this.#open.set(callId, room);
    try {
      await room.opened;
      this.#options.log("room_opened", { call: short(callId), epoch });
    } catch (error) {
      this.#options.log("room_failed", { call: short(callId), problem: problem(error) });
      room.close();
    }
  }

  #start(callId: string, epoch: number, mediaWorker: MediaWorker): OpenRoom {
    const { edgeUrl, nodeKey, nodeId, lastN, announcedAddress, log } = this.#options;
    const about = { callId, mediaWorker, lastN, announcedAddress, pipeListenInfo: this.#pipeListenInfo, log };
    const hosted = HostedRoom.open({ ...about, send: (message) => socket.send(message) });
    const failed = (error: unknown) => log("room_failed", { call: short(callId), problem: problem(error) });
    // Messages keep their order also before the room is ready.
    const queue = new Queue();
    const inTurn = (act: (room: HostedRoom) => unknown) => void queue.run(async () => act(await hosted)).catch(failed);
    const take = (message: ToNode) => {
      // Whether a node lives has nothing to do with how much there is to do before.
      if (message.type === "room_probe") void probe(mediaWorker, message.id, socket);
      else inTurn((room) => room.handle(message));
    };
    const close = () => {
      if (this.#open.get(callId) !== room) return;
      this.#open.delete(callId);
      mediaWorker.worker.off("died", close);
      if (this.#isDraining && this.#open.size === 0) this.#empty.resolve();
      socket.close();
      void hosted.then(
        (open) => open.close(),
        () => {},
      );
      log("room_closed", { call: short(callId), epoch });
    };
    const drain = (deadlineMs: number) => socket.send({ type: "room_draining", deadlineMs });
    const room = { epoch, mediaWorker, opened: hosted, drain, close };
    const dialled = { edgeUrl, nodeKey, nodeId, callId, epoch, log };
    const onAgain = () => inTurn((open) => open.tellAll());
    const socket = new RoomSocket({ ...dialled, onMessage: take, onAgain, onOver: close });
    mediaWorker.worker.once("died", close);
    return room;
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

/** Consumers that a room is taken to have at least: one that was just opened has none yet, and soon will. */
const ROOM_CONSUMERS = 12;

function leastBusy(workers: readonly MediaWorker[], rooms: readonly OpenRoom[]): MediaWorker | null {
  const load = (worker: MediaWorker) =>
    worker.consumers.size + ROOM_CONSUMERS * rooms.filter(({ mediaWorker }) => mediaWorker === worker).length;
  return workers.reduce<MediaWorker | null>((best, one) => (best && load(best) <= load(one) ? best : one), null);
}

/** A room lives as long as its worker does: one that is frozen says nothing, and the room is moved. */
async function probe({ worker }: MediaWorker, id: string, socket: RoomSocket): Promise<void> {
  const isAlive = await worker.getResourceUsage().then(
    () => true,
    () => false,
  );
  if (isAlive) socket.send({ type: "room_alive", re: id });
}
