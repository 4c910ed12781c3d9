import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { WorkerPool } from "../../../sfu-node/workers.ts";
import { launchBrowser } from "../../support/browser.ts";
import { BrowserInRoom } from "../../support/room-browser.ts";
import { openWorkers, RoomOnNodes } from "../../support/room-nodes.ts";

let pool: WorkerPool;
let browser: Browser;
let room: RoomOnNodes;

beforeAll(async () => {
  [pool, browser] = await Promise.all([openWorkers(2), launchBrowser()]);
});
afterAll(async () => {
  await browser?.close();
  await pool?.close();
});
afterEach(async () => {
  room.close();
  await Promise.all(browser.contexts().map((context) => context.close()));
});

/** Somebody with a camera and a microphone comes into the room on one of its nodes. */
async function comeIn(id: string, node: number, height?: number): Promise<BrowserInRoom> {
  const context = await browser.newContext({ permissions: ["camera", "microphone"] });
  const one = await BrowserInRoom.open(context, id, (message) => room.tell(node, message), height);
  room.people.set(id, one);
  await one.join();
  return one;
}

async function expectToGetAll(one: BrowserInRoom, others: number): Promise<void> {
  const heard = async () => (await one.got()).filter(({ packets }) => packets > 0).length;
  const seen = async () => (await one.got()).filter(({ source, frames }) => source === "camera" && frames > 0).length;
  await expect.poll(heard).toBe(2 * others);
  await expect.poll(seen).toBe(others);
  expect({ errors: one.errors, refused: one.refused }).toEqual({ errors: [], refused: [] });
}

describe("browsers in a room", () => {
  it("hear and see everybody, over one connection each, and see who leaves go", async () => {
    room = await RoomOnNodes.open(pool);
    const [ada, bob, cid] = [await comeIn("ada", 0), await comeIn("bob", 0), await comeIn("cid", 0)];
    for (const one of [ada, bob, cid]) await expectToGetAll(one, 2);
    // Their microphones beep.
    await expect.poll(() => room.heard.some(({ type }) => type === "dominant_speaker")).toBe(true);

    await room.tell(0, { type: "participant_leave", participantId: "cid" });
    await expect.poll(async () => (await ada.got()).map(({ participantId }) => participantId)).toEqual(["bob", "bob"]);
    const dee = await comeIn("dee", 0);
    for (const one of [ada, bob, dee]) await expectToGetAll(one, 2);
    expect(room.failures).toEqual([]);
  });

  it("are sent the layer of a camera that is as high as they show it, or nothing", async () => {
    room = await RoomOnNodes.open(pool);
    await comeIn("ada", 0, 720);
    const bob = await comeIn("bob", 0);
    const want = (height: number) => {
      const wants = [{ participantId: "ada", source: "camera" as const, height }];
      return room.tell(0, { type: "participant_update", participantId: "bob", wants });
    };
    const seen = async () => (await bob.got()).find(({ source }) => source === "camera");
    const isStill = async () => {
      const before = (await seen())?.frames;
      await bob.page.waitForFunction(
        (at) => performance.now() > at + 500,
        await bob.page.evaluate(() => performance.now()),
      );
      return (await seen())?.frames === before;
    };
    await want(180);
    const height = async () => (await seen())?.height ?? 0;
    await expect.poll(height).toBe(180);
    await want(720);
    await expect.poll(height).toBeGreaterThan(360);
    await want(0);
    await expect.poll(isStill).toBe(true);
    await want(360);
    await expect.poll(height).toBe(360);
    const told = room.heard.flatMap((message) =>
      message.type === "video_wanted" && message.participantId === "ada" ? [message.height] : [],
    );
    expect(told).toEqual([0, null, 180, 720, 0, 360]);
    expect(room.failures).toEqual([]);
  });

  it("are in one room also when it spans two nodes, and each track crosses once", async () => {
    room = await RoomOnNodes.open(pool);
    const ada = await comeIn("ada", 0);
    await room.pipe();
    const [bob, cid] = [await comeIn("bob", 1), await comeIn("cid", 1)];
    for (const one of [ada, bob, cid]) await expectToGetAll(one, 2);
    const crossed = room.heard.flatMap((message) =>
      message.type === "pipe_track" ? [`${message.participantId} ${message.source}`] : [],
    );
    const expected = ["ada", "bob", "cid"].flatMap((id) => [`${id} camera`, `${id} microphone`]);
    expect(crossed.sort()).toEqual(expected);
    expect(room.failures).toEqual([]);
  });
});
