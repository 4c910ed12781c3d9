import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { NODE_HEARTBEAT_MS } from "../../../schema/fleet.ts";
import { type FromNode, parseToNode, type ToNode } from "../../../schema/room-socket.ts";
import { LoadMeter } from "../../../sfu-node/load.ts";
import { HostedRoom } from "../../../sfu-node/room/hosted-room.ts";
import { Queue } from "../../../sfu-node/room/queue.ts";
import { type MediaWorker, WorkerPool } from "../../../sfu-node/workers.ts";
import { residentKiB } from "../processes.ts";
import { BareRoom } from "./bare-room.ts";
import { type Answer, type Memory, Order, type Usage } from "./messages.ts";

/** The process that is measured, with one room on one worker. The bench says what a call says to a node. */

interface Room {
  handle(message: ToNode): Promise<void>;
}

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

let slot: MediaWorker | undefined;
let room: Room | undefined;
const queue = new Queue();

process.channel?.ref();
process.on("message", (frame: unknown) => {
  const message = typeof frame === "string" ? parseToNode(frame) : undefined;
  if (message) void queue.run(async () => room?.handle(message));
  else void obey(Order.parse(frame)).then(answer);
});

async function obey(order: Order): Promise<Answer> {
  switch (order.type) {
    case "open":
      await open(order);
      return { type: "ready" };
    case "usage":
      return usage();
    case "memory":
      return memory();
  }
}

async function open({ subject, listenIp, workerBin }: Extract<Order, { type: "open" }>): Promise<void> {
  const address = { listenIp, announcedAddress: listenIp, rtcPort: 0 };
  const pool = await WorkerPool.open({ count: 1, ...address, workerBin, log: () => {} });
  [slot] = pool.alive;
  if (!slot) throw new Error("the worker is gone");
  const send = (message: FromNode) => void process.send?.(JSON.stringify(message));
  if (subject === "ours") {
    room = await openOurs(slot, listenIp, send);
    const load = new LoadMeter(pool);
    // What a node does besides its rooms: it measures itself for the fleet.
    setInterval(() => void load.measure(), NODE_HEARTBEAT_MS);
  } else room = await BareRoom.open(slot, { hasLevels: subject === "levels", send });
}

async function openOurs(mediaWorker: MediaWorker, ip: string, send: (message: FromNode) => void): Promise<Room> {
  return HostedRoom.open({
    callId: "0190a000-0000-7000-8000-000000000001",
    mediaWorker,
    pipeListenInfo: { protocol: "udp", ip },
    announcedAddress: ip,
    lastN: 32,
    send,
    log: (event, fields) => console.error(event, fields),
  });
}

async function usage(): Promise<Usage> {
  const { user, system } = process.cpuUsage();
  const { ru_utime, ru_stime } = await opened().worker.getResourceUsage();
  return { type: "usage", workerUs: (ru_utime + ru_stime) * 1_000, nodeUs: user + system };
}

function memory(): Memory {
  const { worker, consumers } = opened();
  collectGarbage();
  const nodeKiB = process.memoryUsage().heapUsed / 1_024;
  return { type: "memory", workerKiB: residentKiB(worker.pid), nodeKiB, consumers: consumers.size };
}

function opened(): MediaWorker {
  if (!slot) throw new Error("nothing is open");
  return slot;
}

function answer(message: Answer): void {
  process.send?.(message);
}
