import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { CLOSE_ROOM_OVER } from "../../../schema/room-socket.ts";
import { type NodeRoom, RoomNode } from "../../support/room-node.ts";
import { RoomScene } from "../../support/room-scene.ts";
import type { WorkerdDevice } from "../../support/workerd-device.ts";

/** As vitest.config.ts has it. */
const ALONE_MS = 600_000;

let node: RoomNode;
beforeEach(async () => {
  node = await RoomNode.start();
});
afterEach(async () => {
  vi.useRealTimers();
  await RoomScene.endAll();
  await node.leaves();
});

const CONNECTION = { connectionId: expect.stringMatching(/^pair-/) };

/** Cid has left the room of three, and the two who are left have been asked to connect with each other. */
async function asked() {
  const scene = await RoomScene.talking();
  const { callId, ada, bob, cid } = scene;
  await scene.allJoin();
  const room = await node.room(1, callId);
  ada.send({ type: "call_media", callId, state: "connected" });
  await cid.ask({ type: "call_end", callId });
  await evictDurableObject(env.CALLS.getByName(callId), { webSockets: "hibernate" });
  // Only for the call: its node has not been silent for so long.
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ALONE_MS });
  expect(await runDurableObjectAlarm(env.CALLS.getByName(callId))).toBe(true);
  vi.useRealTimers();
  const { connectionId } = await ada.next("room_pairing");
  expect(await bob.next("room_pairing")).toMatchObject({ connectionId, offer: false });
  return { scene, callId, ada, bob, cid, room, connectionId };
}

/** They have connected, and the room is over. */
async function paired() {
  const all = await asked();
  const { callId, connectionId, ada, bob, room } = all;
  for (const device of [ada, bob]) device.send({ type: "call_media", callId, state: "connected", connectionId });
  for (const device of [ada, bob]) await device.next("room_closed");
  expect(await room.untilClosed()).toBe(CLOSE_ROOM_OVER);
  return all;
}

async function negotiates(
  from: WorkerdDevice,
  to: WorkerdDevice,
  callId: string,
  connectionId?: string,
): Promise<void> {
  const named = connectionId === undefined ? {} : { connectionId };
  const candidates = [{ candidate: `candidate:1 1 udp 1 ${from.deviceId}.local 9 typ host`, sdpMid: "0" }];
  from.send({ type: "call_negotiate", callId, sdp: `of ${from.deviceId}`, sdpType: "offer", ...named });
  from.send({ type: "ice_candidate", callId, candidates, ...named });
  const ofThis = ({ from: { deviceId } }: { from: { deviceId: string } }) => deviceId === from.deviceId;
  expect(await to.next("call_negotiate", ofThis)).toMatchObject({ sdp: `of ${from.deviceId}`, ...named });
  expect(await to.next("ice_candidate", ofThis)).toMatchObject({ candidates, ...named });
}

describe("[ROOM-21] two who are left in a room", () => {
  test("speak with each other by the call, and leave it when both are connected; nobody else is told", async () => {
    const { callId, ada, bob, cid, connectionId, room } = await asked();
    expect({ connectionId }).toEqual(CONNECTION);
    await negotiates(ada, bob, callId, connectionId);
    await negotiates(bob, ada, callId, connectionId);
    ada.send({ type: "call_media", callId, state: "connected", connectionId });
    await ada.ask({ type: "call_sync", callId });
    expect(room.closed).toBeNull();
    bob.send({ type: "call_media", callId, state: "connected", connectionId });
    for (const device of [ada, bob]) expect(await device.next("room_closed")).toMatchObject({ epoch: 1, connectionId });
    expect(await room.untilClosed()).toBe(CLOSE_ROOM_OVER);
    expect(await ada.ask({ type: "call_sync", callId })).not.toHaveProperty("room");
    expect(cid.heard.filter(({ type }) => type.startsWith("room_p"))).toEqual([]);
  });

  test("of somebody who is not one of them nothing is carried", async () => {
    const { callId, cid, connectionId } = await asked();
    const refused = await cid.ask({ type: "call_negotiate", callId, sdp: "mine", sdpType: "offer", connectionId });
    expect(refused).toMatchObject({ type: "error" });
  });
});

describe("[ROOM-22] two who have left their room", () => {
  test("restart ICE by the call, also after its object has lost its memory", async () => {
    const { callId, ada, bob, connectionId } = await paired();
    await negotiates(ada, bob, callId, connectionId);
    await evictDurableObject(env.CALLS.getByName(callId), { webSockets: "hibernate" });
    await negotiates(bob, ada, callId);
  });

  test("stay in the call while one's path is renewed, and get a room when it fails", async () => {
    const { callId, ada, bob } = await paired();
    ada.send({ type: "call_media", callId, state: "recovering" });
    expect(await ada.ask({ type: "call_sync", callId })).toMatchObject({ state: "connected" });
    expect(node.rooms).toHaveLength(1);
    ada.send({ type: "call_media", callId, state: "failed" });
    await node.room(2, callId);
    for (const device of [ada, bob]) expect(await device.next("room_moved")).toMatchObject({ epoch: 2 });
  });

  test("get a room when the third one comes back, who is let in at once", async () => {
    const { scene, callId, ada, bob, cid } = await paired();
    await cid.ask({ type: "call_answer", callId });
    const room: NodeRoom = await node.room(2, callId);
    for (const device of [ada, bob]) expect(await device.next("room_moved")).toMatchObject({ epoch: 2 });
    expect(await scene.joined(cid)).toMatchObject({ epoch: 2 });
    expect(room.closed).toBeNull();
  });
});
