import { afterEach, beforeEach, expect, it } from "vitest";
import { Rooms } from "../../sfu-node/rooms.ts";
import { WorkerPool } from "../../sfu-node/workers.ts";
import { ensureMediasoupWorker } from "../../tools/setup/mediasoup-worker.ts";
import { FleetServer } from "./fleet-server.ts";

const LOCALHOST = "127.0.0.1";
const PLACE = { listenIp: LOCALHOST, announcedAddress: LOCALHOST };

let fleet: FleetServer;
let pool: WorkerPool;
let rooms: Rooms;

beforeEach(async () => {
  const workerBin = await ensureMediasoupWorker({ log: () => {} });
  fleet = await FleetServer.start();
  pool = await WorkerPool.open({ ...PLACE, count: 2, rtcPort: 0, workerBin, log: () => {} });
  const about = { nodeKey: "key", nodeId: crypto.randomUUID(), lastN: 32, pipePorts: { min: 41_000, max: 41_999 } };
  rooms = new Rooms({ ...PLACE, ...about, edgeUrl: new URL(fleet.url), pool, log: () => {} });
}, 600_000);

afterEach(async () => {
  await rooms.close();
  await pool.close();
  await fleet.close();
});

function counts(): Promise<number[]> {
  return Promise.all(pool.alive.map(async ({ worker }) => (await worker.dump()).routerIds.length));
}

it("spreads rooms over the workers, also those that come before anybody has joined: as after a node's death", async () => {
  const calls = Array.from({ length: 6 }, () => crypto.randomUUID());
  await Promise.all(calls.map((callId) => rooms.open({ type: "room_open", callId, epoch: 1 })));
  expect(rooms.count).toBe(6);
  expect(await counts()).toEqual([3, 3]);
});

it("keeps nothing of a room that is over", async () => {
  const before = pool.alive.map(({ worker }) => worker.listenerCount("died"));
  await rooms.open({ type: "room_open", callId: crypto.randomUUID(), epoch: 1 });
  await rooms.close();
  expect(rooms.count).toBe(0);
  expect(pool.alive.map(({ worker }) => worker.listenerCount("died"))).toEqual(before);
  expect(await counts()).toEqual([0, 0]);
});
