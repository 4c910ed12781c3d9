import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { HostedRoom } from "../../../sfu-node/room/hosted-room.ts";
import { WorkerPool } from "../../../sfu-node/workers.ts";
import { ensureMediasoupWorker } from "../../../tools/setup/mediasoup-worker.ts";
import { launchBrowser } from "../../support/browser.ts";
import { BrowserInRoom } from "../../support/room-browser.ts";

let pool: WorkerPool;
let browser: Browser;
let room: HostedRoom;
const failures: string[] = [];
const people = new Map<string, BrowserInRoom>();

beforeAll(async () => {
  const workerBin = await ensureMediasoupWorker({ log: () => {} });
  const about = {
    count: 1,
    listenIp: "127.0.0.1",
    announcedAddress: "127.0.0.1",
    rtcPort: 0,
    workerBin,
    log: () => {},
  };
  pool = await WorkerPool.open(about);
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  await pool?.close();
});
afterEach(() => room.close());

async function openRoom(): Promise<void> {
  const [mediaWorker] = pool.alive;
  if (!mediaWorker) throw new Error("no worker");
  room = await HostedRoom.open({
    callId: "0190a000-0000-7000-8000-000000000001",
    mediaWorker,
    lastN: 31,
    log: (event) => failures.push(event),
    send: (message) => {
      if ("participantId" in message) people.get(message.participantId)?.hear(message);
    },
  });
}

async function comeIn(id: string): Promise<BrowserInRoom> {
  const one = await BrowserInRoom.open(
    await browser.newContext({ permissions: ["camera", "microphone"] }),
    id,
    () => room,
  );
  people.set(id, one);
  await one.join();
  return one;
}

it("everybody hears and sees everybody, over one connection each", async () => {
  await openRoom();
  const all = [];
  for (const id of ["p1", "p2", "p3"]) all.push(await comeIn(id));
  for (const one of all) {
    await expect
      .poll(async () => (await one.got()).filter(({ packets }) => packets > 0).length, { timeout: 20_000 })
      .toBe(4);
    await expect
      .poll(async () => (await one.got()).filter(({ source, frames }) => source === "camera" && frames > 0).length, {
        timeout: 20_000,
      })
      .toBe(2);
    expect(one.errors).toEqual([]);
    expect(one.refused).toEqual([]);
  }
  expect(failures).toEqual([]);
});
