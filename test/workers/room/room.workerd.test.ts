import { env, exports } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { CLOSE_ROOM_OVER, CLOSE_STALE_EPOCH } from "../../../schema/room-socket.ts";
import { NodeRoom, nodeRequest, RoomNode } from "../../support/room-node.ts";
import { RoomScene } from "../../support/room-scene.ts";
import { WorkerdDevice } from "../../support/workerd-device.ts";

let node: RoomNode;
const others: RoomNode[] = [];

beforeEach(async () => {
  node = await RoomNode.start();
});
afterEach(async () => {
  await RoomScene.endAll();
  for (const each of [node, ...others.splice(0)]) await each.leaves();
});

async function another(): Promise<RoomNode> {
  const other = await RoomNode.start();
  others.push(other);
  return other;
}

describe("a group call's room", () => {
  test("[ROOM-1] opens when the call is answered, and everybody who joins hears who is in it", async () => {
    const scene = await RoomScene.talking();
    const { ada, bob } = scene;
    const room = await node.room(1, scene.callId);
    expect(await scene.joined(ada)).toMatchObject({ epoch: 1, sdp: "answer", participants: [{ name: "Ada" }] });
    await ada.settle();
    const { participants, participantId } = await scene.joined(bob);
    expect(participants).toMatchObject([
      { name: "Ada", userId: ada.person.userId, tracks: [{ source: "microphone", muted: false }] },
      { name: "Bob", deviceId: bob.deviceId, participantId },
    ]);
    expect(await ada.next("participant_updated", (m) => m.participantId === participantId)).toMatchObject({
      userId: bob.person.userId,
      state: "joined",
      tracks: [{ source: "microphone", muted: false }],
    });
    expect(room.heard.map(({ type }) => type)).toEqual(["participant_join", "participant_join"]);
  });

  test("[ROOM-2] who asks before the node has dialled is let in when it has", async () => {
    node.isDialling = false;
    const scene = await RoomScene.talking();
    const room = await node.room(1, scene.callId);
    const joined = scene.joined(scene.bob);
    await scene.bob.settle();
    await room.dial();
    expect(await joined).toMatchObject({ epoch: 1 });
  });

  test("[CONN-4] is joined on a user socket and on a call socket, and answers where it was asked", async () => {
    const scene = await RoomScene.talking();
    await scene.joined(scene.ada);
    await scene.bob.connect(scene.socketPath);
    expect(await scene.joined(scene.bob)).toMatchObject({ epoch: 1 });
    const room = await node.room(1, scene.callId);
    const joins = [await room.next("participant_join"), await room.next("participant_join")];
    room.say({ type: "dominant_speaker", participantId: joins[1]?.participantId ?? "" });
    for (const device of [scene.ada, scene.bob]) {
      expect(await device.next("dominant_speaker_changed")).toMatchObject({ userId: scene.bob.person.userId });
    }
  });

  test("[ROOM-12] hangs up on who answers no offers; it comes back, and in", async () => {
    const scene = await RoomScene.talking();
    await scene.bob.connect(scene.socketPath);
    const { participantId } = await scene.joined(scene.bob);
    const room = await node.room(1, scene.callId);
    room.say({ type: "participant_lost", participantId, reason: "no_answer" });
    await expect.poll(() => scene.bob.closed).toMatchObject({ code: 4004 });
    await scene.bob.connect(scene.socketPath);
    expect(await scene.bob.next("recover")).toMatchObject({ action: "rejoin" });
    expect(await scene.joined(scene.bob)).toMatchObject({ epoch: 1 });
  });

  test("[ROOM-6] carries offers and answers both ways", async () => {
    const scene = await RoomScene.talking();
    const { callId, bob } = scene;
    const { participantId } = await scene.joined(bob);
    const room = await node.room(1, callId);
    expect(await bob.ask({ type: "renegotiate", callId, epoch: 1, sdp: "offer" })).toMatchObject({
      type: "renegotiate_answer",
      epoch: 1,
      sdp: "answer",
    });
    room.say({ type: "room_offer", participantId, negotiationId: 4, sdp: "from the SFU", tracks: [] });
    const offered = await bob.next("renegotiate");
    expect(offered).toMatchObject({ callId, epoch: 1, negotiationId: 4, sdp: "from the SFU" });
    bob.send({ type: "renegotiate_answer", callId, epoch: 1, negotiationId: 4, sdp: "mine" });
    expect(await room.next("participant_answer")).toMatchObject({ participantId, negotiationId: 4, sdp: "mine" });
    bob.send({ type: "room_update", callId, muted: ["microphone"] });
    expect(await room.next("participant_update")).toEqual({
      type: "participant_update",
      participantId,
      muted: ["microphone"],
    });
  });

  test("[ROOM-3] is for who is in the call", async () => {
    const scene = await RoomScene.begin();
    await scene.calls("group", scene.bob);
    const { callId, ada, bob, cid } = scene;
    expect(await scene.joins(cid)).toMatchObject({ type: "error", code: "call_not_found" });
    expect(await scene.joins(ada)).toMatchObject({ type: "error", code: "not_in_call" });
    expect(await scene.joins(bob)).toMatchObject({ type: "error", code: "not_in_call" });
    await bob.ask({ type: "call_answer", callId });
    expect(await scene.joins(bob)).toMatchObject({ type: "room_joined" });
    await bob.ask({ type: "call_end", callId });
    expect(await scene.joins(bob)).toMatchObject({ type: "call_ended" });
  });

  test("[ROOM-10] is left with the call, and over with it", async () => {
    const scene = await RoomScene.talking();
    await scene.allJoin();
    const room = await node.room(1, scene.callId);
    const { callId, ada, bob, cid } = scene;
    const [first] = [await room.next("participant_join")];
    await ada.ask({ type: "call_end", callId });
    expect(await room.next("participant_leave")).toMatchObject({ participantId: first.participantId });
    await bob.ask({ type: "call_end", callId });
    expect(await room.untilClosed()).toBe(CLOSE_ROOM_OVER);
    expect(await scene.joins(cid)).toMatchObject({ type: "call_ended" });
  });

  test("[ROOM-4] without a node is unavailable, and the call stays; with one those who wanted in are called", async () => {
    await node.leaves();
    const scene = await RoomScene.talking();
    const { callId, ada } = scene;
    expect(await scene.joins(ada)).toMatchObject({ type: "error", code: "room_unavailable" });
    expect(await ada.ask({ type: "call_sync", callId })).toMatchObject({ state: "connecting" });
    await another();
    expect(await ada.next("room_moved")).toMatchObject({ epoch: 1, deadlineMs: 0 });
    expect(await scene.joined(ada)).toMatchObject({ epoch: 1 });
  });

  test("[HAND-3] moves with a call that is handed over: the new device is in before the old one leaves", async () => {
    const scene = await RoomScene.talking();
    const { callId, bob, cid } = scene;
    await scene.allJoin();
    const tablet = new WorkerdDevice(bob.person);
    await tablet.connect();
    expect(await tablet.ask({ type: "call_handoff", callId })).toMatchObject({ type: "call_handoff_ready" });
    const { participants } = await scene.joined(tablet);
    expect(participants.filter(({ userId }) => userId === bob.person.userId)).toHaveLength(2);
    tablet.send({ type: "call_media", callId, state: "connected" });
    await cid.next("call_handed_off");
    const room = await node.room(1, callId);
    const left = participants.find(({ deviceId }) => deviceId === bob.deviceId);
    expect(await room.next("participant_leave")).toMatchObject({ participantId: left?.participantId });
  });
});

describe("[ROOM-17] a call between two", () => {
  test("keeps its media peer to peer, until a third device joins and all are called into a room", async () => {
    const scene = await RoomScene.begin();
    const { ada, bob, cid } = scene;
    await scene.calls("video", bob);
    const { callId } = scene;
    await bob.ask({ type: "call_answer", callId, sdp: "answer" });
    expect(await scene.joins(bob)).toMatchObject({ type: "error", code: "forbidden" });
    expect(await ada.ask({ type: "call_invite", callId, calleeIds: [cid.person.userId] })).not.toHaveProperty("room");
    await cid.next("incoming_call");
    await cid.ask({ type: "call_answer", callId });
    for (const device of scene.devices) {
      expect(await device.next("room_moved")).toMatchObject({ epoch: 1, deadlineMs: 10_000 });
    }
    await scene.allJoin();
    expect(await ada.ask({ type: "call_sync", callId })).toMatchObject({ callType: "group", room: { epoch: 1 } });
  });
});

describe("[ROOM-13] a node's process dies", () => {
  test("everybody is called to the next room at once, on another node, with what they had muted", async () => {
    const scene = await RoomScene.talking();
    const { callId, ada, bob, cid } = scene;
    await scene.allJoin();
    ada.send({ type: "room_update", callId, muted: ["microphone"] });
    const room = await node.room(1, callId);
    await room.next("participant_update");
    const other = await another();
    room.dies();
    for (const device of scene.devices) {
      expect(await device.next("room_moved")).toMatchObject({ epoch: 2, deadlineMs: 0 });
    }
    await Promise.all([ada, bob, cid].map((device) => scene.joined(device)));
    const next = await other.room(2, callId);
    const joins = [
      await next.next("participant_join"),
      await next.next("participant_join"),
      await next.next("participant_join"),
    ];
    expect(joins.map(({ muted }) => muted)).toContainEqual(["microphone"]);
    expect(await ada.ask({ type: "call_sync", callId })).toMatchObject({ room: { epoch: 2 } });
  });

  test("it is refused when it comes back, and what is asked of its room is refused with where the room is", async () => {
    const scene = await RoomScene.talking();
    const { callId, bob } = scene;
    await scene.allJoin();
    const room = await node.room(1, callId);
    await another();
    room.dies();
    await bob.next("room_moved");
    await room.dial();
    expect(await room.untilClosed()).toBe(CLOSE_STALE_EPOCH);
    expect(await bob.ask({ type: "renegotiate", callId, epoch: 1, sdp: "offer" })).toMatchObject({
      type: "error",
      code: "room_unavailable",
    });
    expect(await bob.next("room_moved")).toMatchObject({ epoch: 2 });
  });

  test("who was away hears it when it comes back", async () => {
    const scene = await RoomScene.talking();
    const { callId, bob, ada } = scene;
    await scene.allJoin();
    const room = await node.room(1, callId);
    await another();
    await bob.disconnect();
    room.dies();
    await ada.next("room_moved");
    expect((await bob.connect()).calls).toMatchObject([{ callId, room: { epoch: 2 } }]);
    expect(await bob.next("recover")).toMatchObject({ callId, action: "rejoin" });
    await scene.joined(bob);
    await bob.disconnect();
    await bob.connect(scene.socketPath);
    expect(await bob.next("recover")).toMatchObject({ callId, action: "resume" });
  });
});

describe("[ROOM-15] clients lose their path", () => {
  test("the node lives: who has lost it joins anew and stays in the call", async () => {
    const scene = await RoomScene.talking();
    const { callId, bob } = scene;
    await scene.allJoin();
    bob.send({ type: "call_media", callId, state: "connected" });
    bob.send({ type: "call_media", callId, state: "failed" });
    expect(await bob.next("recover")).toMatchObject({ callId, action: "rejoin" });
    expect(await bob.ask({ type: "call_sync", callId })).toMatchObject({ state: "connected" });
    expect(await scene.joined(bob)).toMatchObject({ epoch: 1 });
  });

  test("the node is frozen: its socket is closed, and everybody moves", async () => {
    const scene = await RoomScene.talking();
    const { callId, bob } = scene;
    await scene.allJoin();
    const room = await node.room(1, callId);
    room.isObliging = false;
    const other = await another();
    bob.send({ type: "call_media", callId, state: "recovering" });
    await room.next("room_probe");
    for (const device of scene.devices) expect(await device.next("room_moved")).toMatchObject({ epoch: 2 });
    expect(await room.untilClosed()).toBe(CLOSE_STALE_EPOCH);
    await scene.allJoin();
    await other.room(2, callId);
  });
});

describe("[ROOM-16] a node wants to stop", () => {
  test("everybody moves while it serves on, and then it is let go", async () => {
    const scene = await RoomScene.talking();
    const { callId, ada, bob } = scene;
    await scene.allJoin();
    const room = await node.room(1, callId);
    const other = await another();
    node.drains();
    room.say({ type: "room_draining", deadlineMs: 60_000 });
    for (const device of scene.devices) {
      expect(await device.next("room_moved")).toMatchObject({ epoch: 2, deadlineMs: 10_000 });
    }
    await scene.joined(ada);
    expect(room.closed).toBeNull();
    await scene.joined(bob);
    await scene.joined(scene.cid);
    await other.room(2, callId);
    expect(await room.untilClosed()).toBe(CLOSE_STALE_EPOCH);
  });
});

describe("a room's socket", () => {
  const path = (query: string, callId: string = crypto.randomUUID()) => `/sfu/rooms/${callId}${query}`;
  const good = `?epoch=1&nodeId=${crypto.randomUUID()}`;

  test.each<[string, Request, number, string]>([
    ["without a key", nodeRequest(path(good), ""), 401, "unauthorized"],
    ["with a wrong key", nodeRequest(path(good), "wrong"), 401, "unauthorized"],
    ["without an upgrade", nodeRequest(path(good), env.SFU_NODE_KEY, ""), 426, "bad_message"],
    ["of no call", nodeRequest(path(good, "mine")), 400, "bad_message"],
    ["without an epoch", nodeRequest(path(`?nodeId=${crypto.randomUUID()}`)), 400, "bad_message"],
    ["of epoch 0", nodeRequest(path(`?epoch=0&nodeId=${crypto.randomUUID()}`)), 400, "bad_message"],
    ["without a node", nodeRequest(path("?epoch=1")), 400, "bad_message"],
  ])("[ROOM-18] is refused %s", async (_title, request, status, code) => {
    const response = await exports.default.fetch(request);
    expect([response.status, await response.json()]).toEqual([
      status,
      { error: { code, message: expect.any(String) } },
    ]);
  });

  test("[ROOM-18] is closed for a call that nobody knows, for another epoch, and for another node", async () => {
    const scene = await RoomScene.talking();
    const open = await node.room(1, scene.callId);
    const dialled = async (callId: string, epoch: number, nodeId: string): Promise<NodeRoom> => {
      const room = new NodeRoom(callId, epoch, nodeId);
      await room.dial();
      return room;
    };
    for (const room of [
      await dialled(crypto.randomUUID(), 1, node.nodeId),
      await dialled(scene.callId, 2, node.nodeId),
      await dialled(scene.callId, 1, crypto.randomUUID()),
    ]) {
      expect(await room.untilClosed()).toBe(CLOSE_STALE_EPOCH);
    }
    expect(open.closed).toBeNull();
  });

  test("[ROOM-14] dialled again by the same node takes the place of the older one, and nobody moves", async () => {
    const scene = await RoomScene.talking();
    await scene.allJoin();
    const room = await node.room(1, scene.callId);
    await room.dial();
    expect(await scene.bob.ask({ type: "renegotiate", callId: scene.callId, epoch: 1, sdp: "offer" })).toMatchObject({
      type: "renegotiate_answer",
    });
    expect(scene.devices.flatMap(({ heard }) => heard.filter(({ type }) => type === "room_moved"))).toEqual([]);
  });

  test("[ROOM-18] what a node says that is no message changes nothing", async () => {
    const scene = await RoomScene.talking();
    const { participantId } = await scene.joined(scene.bob);
    const room = await node.room(1, scene.callId);
    const quiet = vi.spyOn(console, "log").mockImplementation(() => {});
    for (const frame of ["", "{", "[]", '{"type":"room_dance"}', '{"type":"dominant_speaker"}']) room.sayRaw(frame);
    room.say({ type: "dominant_speaker", participantId });
    expect(await scene.bob.next("dominant_speaker_changed")).toMatchObject({ participantId });
    quiet.mockRestore();
  });
});
