import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { MAX_PARTICIPANTS } from "../../../schema/limits.ts";
import type { WorkerPool } from "../../../sfu-node/workers.ts";
import { openWorkers, RoomOnNodes } from "../../support/room-nodes.ts";
import { LibdatachannelStack } from "../../support/stack-libdatachannel.ts";
import { type Got, StackInRoom } from "../../support/stack-participant.ts";

const JOINING_MS = 3_000;
const SETTLED_MS = 5_000;
/** Of the others' cameras, how many each of them shows. */
const SHOWN = 4;

let pool: WorkerPool;
let room: RoomOnNodes;
const people: StackInRoom[] = [];

beforeAll(async () => {
  pool = await openWorkers(1);
  room = await RoomOnNodes.open(pool);
}, 600_000);
afterAll(async () => {
  await Promise.all(people.map(({ stack }) => stack.close()));
  room?.close();
  await pool?.close();
});

const id = (index: number) => `p${index % MAX_PARTICIPANTS}`;

async function comeIn(index: number): Promise<void> {
  await delay((index * JOINING_MS) / MAX_PARTICIPANTS);
  const one = new StackInRoom(id(index), new LibdatachannelStack(id(index), { intervalMs: 400 }), (message) =>
    room.tell(0, message),
  );
  people.push(one);
  room.people.set(one.id, one);
  await one.join();
  const wants = Array.from({ length: SHOWN }, (_, next) => ({
    participantId: id(index + next + 1),
    source: "camera" as const,
    height: 180,
  }));
  await room.tell(0, { type: "participant_update", participantId: one.id, wants });
}

/** What somebody has of each of the others: sound, and pictures where they were asked for. */
async function received(one: StackInRoom): Promise<number[]> {
  const got = await one.got();
  const index = Number(one.id.slice(1));
  const find = (other: string, source: string, what: (got: Got) => number) => {
    const found = got.find(({ participantId, source: its }) => participantId === other && its === source);
    return found ? what(found) : 0;
  };
  return Array.from({ length: MAX_PARTICIPANTS - 1 }, (_, next) => id(index + next + 1)).flatMap((other, next) => [
    find(other, "microphone", ({ packets }) => packets),
    ...(next < SHOWN ? [find(other, "camera", ({ frames }) => frames)] : []),
  ]);
}

it(`${MAX_PARTICIPANTS} people come within 3 s, and 5 s after the last everybody hears all and sees who they asked for`, async () => {
  await Promise.all(Array.from({ length: MAX_PARTICIPANTS }, (_, index) => comeIn(index)));
  const last = performance.now();
  const all = async () => (await Promise.all(people.map(received))).flat();
  const missing = async () => (await all()).filter((count) => count === 0).length;
  await expect.poll(missing, { timeout: 4 * SETTLED_MS, interval: 100 }).toBe(0);
  expect(performance.now() - last).toBeLessThan(SETTLED_MS);

  const before = await all();
  expect(before).toHaveLength(MAX_PARTICIPANTS * (MAX_PARTICIPANTS - 1 + SHOWN));
  const still = async () => (await all()).filter((count, at) => count <= (before[at] ?? 0)).length;
  await expect.poll(still, { timeout: SETTLED_MS, interval: 100 }).toBe(0);
  expect(people.flatMap(({ refused }) => refused)).toEqual([]);
  expect(room.failures).toEqual([]);
});
