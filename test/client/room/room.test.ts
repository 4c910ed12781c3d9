import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Call } from "../../../client/index.ts";
import type { ServerMessageOf } from "../../../schema/server-messages.ts";
import { FakeMediaStream } from "../../support/fake-media.ts";
import {
  bob,
  bobsPhone,
  callId,
  eve,
  evesPhone,
  inRoom,
  joe,
  joesPhone,
  linesOf,
  named,
  RoomScene,
  reaches,
  until,
} from "./room-scene.ts";

let scene: RoomScene;
beforeEach(async () => {
  vi.stubGlobal("MediaStream", FakeMediaStream);
  scene = await RoomScene.start();
});
afterEach(async () => {
  await scene.stop();
  vi.unstubAllGlobals();
});

describe("a group call", () => {
  test("rings several people and brings their media over one connection once somebody has answered", async () => {
    const [call, socket] = await scene.callGroup();
    expect(call.room?.participants).toMatchObject([
      { name: "Bob", state: "joined", streams: {} },
      { name: "Eve", state: "invited" },
    ]);
    const join = await scene.offered(socket);
    expect(join).toMatchObject({ callId, sdp: "offer 1", muted: [] });
    expect(join.tracks).toEqual([
      { mid: "camera", source: "camera" },
      { mid: "microphone", source: "microphone" },
    ]);
    scene.joined(socket, join.id);
    const peer = scene.roomPeer();
    await peer.heard("took the room's answer");
    peer.path("up");
    expect(await socket.next("call_media")).toMatchObject({ callId, state: "connected" });
    await reaches(call, "connected");
    const track = peer.flows("p-bob-camera", "video");
    expect(named(call, "Bob")?.streams.camera?.getTracks()).toEqual([track]);
    expect(named(call, "Bob")?.streams.camera).toBe(named(call, "Bob")?.streams.camera);

    call.hangUp();
    expect(await socket.next("call_end")).toMatchObject({ callId });
    expect(peer.isClosed).toBe(true);
    expect(scene.client.devices.opened.map(({ readyState }) => readyState)).toEqual(["ended", "ended"]);
  });

  test("is answered without a description, and joined", async () => {
    const incoming = new Promise<Call>((resolve) => scene.client.switchboard.incoming.subscribe(resolve));
    const caller = { ...bob, deviceId: bobsPhone.deviceId };
    const { socket } = scene.client;
    socket.send({ type: "incoming_call", callId, rev: 1, caller, callType: "group", remainingMs: 30_000 });
    const call = await incoming;
    expect(call.room?.participants).toMatchObject([{ name: "Bob", state: "joined" }]);
    const answering = call.answer({ video: false });
    const participants = [
      { ...caller, state: "joined" as const },
      { ...eve, state: "invited" as const },
    ];
    const ringing = scene.snapshot({ callType: "group", state: "ringing", participants });
    const own = await scene.edge.registered(`/calls/${callId}/ws`, scene.client.userId, [ringing]);
    const { id, sdp } = await socket.next("call_answer");
    expect(sdp).toBeUndefined();
    own.send({ type: "call_connected", ...(id !== undefined && { re: id }), callId, rev: 2, answeredBy: scene.self });
    await answering;
    await scene.letIn(own);
    expect(call.room?.participants.map(({ name, state }) => `${name} ${state}`)).toEqual(["Bob joined", "Eve invited"]);
  });

  test("[GROUP-5] is joined by who is not in it any more, on the call's socket once that says so", async () => {
    const { socket, switchboard } = scene.client;
    const call = switchboard.join(callId, bob, { video: true });
    const { id, join } = await socket.next("call_answer");
    expect(join).toBe(true);
    expect(call.phase.kind).toBe("answering");
    const re = id === undefined ? {} : { re: id };
    socket.send({ type: "call_connected", ...re, callId, rev: 9, answeredBy: scene.self });
    await reaches(call, "connecting");
    await scene.letIn(socket);
    await scene.edge.registered(`/calls/${callId}/ws`, scene.client.userId, [scene.group({ rev: 9 })]);
    expect(switchboard.join(callId, bob, { video: true })).toBe(call);
  });

  test("that is over by now cannot be joined", async () => {
    const { socket, switchboard } = scene.client;
    const call = switchboard.join(callId, bob, { video: true });
    const { id } = await socket.next("call_answer");
    socket.send({ type: "call_not_found", ...(id !== undefined && { re: id }), callId });
    await reaches(call, "ended");
    expect(call.phase).toEqual({ kind: "ended", ending: { kind: "failed", code: "call_not_found" } });
  });

  test("tells of who is called, comes, speaks, mutes and leaves", async () => {
    const [call, socket] = await scene.talkInGroup();
    const about = { callId, rev: 3 };
    const invite = call.invite([joe]);
    const { id, calleeIds } = await socket.next("call_invite");
    expect(calleeIds).toEqual([joe.userId]);
    const participants = [
      { ...bob, state: "joined" as const, deviceId: bobsPhone.deviceId },
      { ...eve, state: "invited" as const },
      { ...joe, state: "invited" as const },
    ];
    socket.send({ type: "call_state", ...(id !== undefined && { re: id }), ...scene.group({ rev: 3, participants }) });
    await invite;
    expect(named(call, "Joe")?.state).toBe("invited");
    socket.send({ type: "participant_joined", ...about, ...joesPhone, name: "Joe" });
    await until(call, () => named(call, "Joe")?.state === "joined");
    socket.send({ type: "dominant_speaker_changed", ...about, ...joesPhone, participantId: "p-joe" });
    await until(call, () => named(call, "Joe")?.isSpeaking === true);
    const muted = [
      { source: "microphone" as const, muted: true },
      { source: "camera" as const, muted: true },
    ];
    const updated = { type: "participant_updated", ...about, name: "Bob", state: "joined" } as const;
    socket.send({ ...updated, ...bobsPhone, participantId: "p-bob", tracks: muted });
    await until(call, () => named(call, "Bob")?.muted.has("camera") === true);
    expect(named(call, "Bob")?.streams).toEqual({});
    socket.send({ type: "participant_left", ...about, userId: joe.userId });
    await until(call, () => named(call, "Joe")?.state === "left");
    expect(named(call, "Joe")?.isSpeaking).toBe(false);
  });
});

describe("what this device sends", () => {
  test("is muted without any negotiation", async () => {
    const [call, socket] = await scene.talkInGroup();
    call.media.mute(true);
    expect((await socket.next("room_update")).muted).toEqual(["microphone"]);
    await call.media.setCamera(false);
    expect((await socket.next("room_update")).muted).toEqual(["camera", "microphone"]);
    await scene.roomPeer().heard("sends microphone");
    await call.hold(true);
    expect((await socket.next("room_update")).muted).toEqual(["camera", "microphone", "screen", "screen_audio"]);
    expect(named(call, "Bob")?.streams).toEqual({});
    await call.hold(false);
    expect((await socket.next("room_update")).muted).toEqual(["camera", "microphone"]);
  });

  test("gains a screen and loses it by offers of its own", async () => {
    const [call, socket] = await scene.talkInGroup();
    await call.room?.shareScreen();
    const offer = await socket.next("renegotiate");
    expect(offer).toMatchObject({ epoch: 1, sdp: "offer 2" });
    expect(offer.tracks?.map(({ source }) => source)).toEqual(["camera", "microphone", "screen"]);
    expect(call.room?.screen).not.toBeNull();
    // The SFU takes back what it offers meanwhile: nobody answers it.
    const about = { callId, rev: 3, epoch: 1, tracks: [] };
    const crossed: ServerMessageOf<"renegotiate"> = { type: "renegotiate", ...about, negotiationId: 1, sdp: "crossed" };
    socket.send(crossed);
    const re = offer.id === undefined ? {} : { re: offer.id };
    socket.send({ type: "renegotiate_answer", ...re, ...about, sdp: "answer 2" });
    await scene.roomPeer().heard("took answer 2");
    expect(scene.roomPeer().told).not.toContain("answered crossed");
    socket.send({ ...crossed, negotiationId: 2, sdp: "again", tracks: linesOf("p-bob") });
    expect(await socket.next("renegotiate_answer")).toMatchObject({
      negotiationId: 2,
      epoch: 1,
      sdp: "answer to again",
    });

    const [screen] = scene.client.devices.opened.slice(-1);
    screen?.onended?.call(screen, new Event("ended"));
    expect((await socket.next("renegotiate")).tracks?.map(({ source }) => source)).toEqual(["camera", "microphone"]);
    expect(call.room?.screen).toBeNull();
  });

  test("is no larger than it is wanted", async () => {
    const [, socket] = await scene.talkInGroup();
    socket.send({ type: "video_wanted", callId, rev: 3, epoch: 1, source: "camera", height: 180 });
    await scene.roomPeer().heard("camera up to 180");
    socket.send({ type: "video_wanted", callId, rev: 3, epoch: 7, source: "camera", height: 90 });
    socket.send({ type: "video_wanted", callId, rev: 3, epoch: 1, source: "camera", height: null });
    await scene.roomPeer().heard("camera up to null");
    expect(scene.roomPeer().told).not.toContain("camera up to 90");
  });
});

test("what is shown is asked for as high as it is shown, once it has settled", async () => {
  const [call, socket] = await scene.talkInGroup();
  const key = named(call, "Bob")?.key ?? "";
  for (const height of [100, 200, 300]) call.room?.show(key, "camera", height);
  const [wish, ...more] = (await socket.next("room_update")).wants ?? [];
  expect(wish).toMatchObject({ participantId: "p-bob", source: "camera", height: 300 });
  expect(more).toEqual([]);
  // In another place the same tile asks again.
  const updated = { type: "participant_updated", callId, rev: 3, name: "Bob", state: "joined" } as const;
  socket.send({ ...updated, ...bobsPhone, participantId: "q-bob", tracks: [{ source: "camera", muted: false }] });
  expect((await socket.next("room_update")).wants).toMatchObject([{ participantId: "q-bob", height: 300 }]);
  call.room?.show(key, "camera", 0);
  expect((await socket.next("room_update")).wants).toMatchObject([{ participantId: "q-bob", height: 0 }]);
});

describe("a room that moves", () => {
  test("is left when the next one brings all that it did", async () => {
    const [call, socket] = await scene.talkInGroup();
    call.media.mute(true);
    await socket.next("room_update");
    const [former] = scene.roomPeers;
    const before = named(call, "Bob")?.streams.camera;
    socket.send({ type: "room_moved", callId, rev: 3, epoch: 2, deadlineMs: 10_000 });
    const join = await scene.letIn(socket, {
      epoch: 2,
      participantId: "q-alice",
      participants: [inRoom("q-bob", bob, bobsPhone.deviceId)],
      tracks: linesOf("q-bob"),
    });
    expect(join.muted).toEqual(["microphone"]);
    const next = scene.roomPeer();
    expect(next).not.toBe(former);
    await next.heard("took the room's answer");
    next.path("up");
    await socket.next("call_media");
    expect(named(call, "Bob")?.streams.camera).toBe(before);
    const track = next.flows("q-bob-camera", "video");
    expect(named(call, "Bob")?.streams.camera?.getTracks()).toEqual([track]);
    expect(former?.isClosed).toBe(false);
    // What is muted does not come over, and is not waited for.
    const updated = { type: "participant_updated", callId, rev: 4, name: "Bob", state: "joined" } as const;
    const tracks = [
      { source: "camera" as const, muted: false },
      { source: "microphone" as const, muted: true },
    ];
    socket.send({ ...updated, ...bobsPhone, participantId: "q-bob", tracks });
    await former?.heard("closed");
    expect(call.phase.kind).toBe("connected");
    expect(call.media.isMuted).toBe(true);
  });

  test("is not entered by the answer to an offer that was given up", async () => {
    const [, socket] = await scene.callGroup();
    const first = await scene.offered(socket);
    socket.send({
      type: "error",
      ...(first.id !== undefined && { re: first.id }),
      callId,
      code: "room_unavailable",
      message: "",
    });
    const second = await scene.offered(socket);
    scene.joined(socket, first.id, { sdp: "stale" });
    scene.joined(socket, second.id, { sdp: "fresh" });
    await scene.roomPeer().heard("took fresh");
    expect(scene.roomPeers.flatMap(({ told }) => told)).not.toContain("took stale");
    expect(scene.roomPeer(2).isClosed).toBe(true);
  });
});

describe("a path that is lost", () => {
  test("is reported after a second, and joined anew at the server's word", async () => {
    const [call, socket] = await scene.talkInGroup();
    const lostAt = Date.now();
    scene.roomPeer().path("interrupted");
    expect(await socket.next("call_media")).toMatchObject({ state: "recovering" });
    expect(Date.now() - lostAt).toBeGreaterThanOrEqual(990);
    expect(call.phase.kind).toBe("reconnecting");
    socket.send({ type: "recover", callId, rev: 3, action: "rejoin" });
    await scene.letIn(socket, { participantId: "p-alice-2" });
    await scene.roomPeer().heard("took the room's answer");
    scene.roomPeer().path("up");
    expect(await socket.next("call_media")).toMatchObject({ state: "connected" });
    await reaches(call, "connected");
  });

  test("is joined anew when what was negotiated fails", async () => {
    const [call, socket] = await scene.talkInGroup();
    await call.room?.shareScreen();
    const { id } = await socket.next("renegotiate");
    socket.send({ type: "error", ...(id !== undefined && { re: id }), callId, code: "bad_message", message: "no" });
    expect(await socket.next("call_media")).toMatchObject({ state: "recovering" });
    socket.send({ type: "recover", callId, rev: 3, action: "rejoin" });
    const { tracks } = await scene.offered(socket);
    expect(tracks?.map(({ source }) => source)).toContain("screen");
  });
});

describe("a call between two that becomes a group call", () => {
  async function grow() {
    const [call, socket] = await scene.talk();
    expect(call.room).toBeNull();
    const inviting = call.invite([eve]);
    const { id } = await socket.next("call_invite");
    const participants = [
      { userId: scene.client.userId, name: "Alice", state: "joined" as const, deviceId: scene.client.deviceId },
      { ...bob, state: "joined" as const, deviceId: bobsPhone.deviceId },
      { ...eve, state: "invited" as const },
    ];
    socket.send({ type: "call_state", ...(id !== undefined && { re: id }), ...scene.group({ rev: 3, participants }) });
    await inviting;
    return [call, socket] as const;
  }

  test("keeps its own connection until the room has taken over", async () => {
    const [call, socket] = await grow();
    expect(call.room?.participants.map(({ name, state }) => `${name} ${state}`)).toEqual(["Bob joined", "Eve invited"]);
    expect(scene.roomPeers).toEqual([]);
    socket.send({ type: "room_moved", callId, rev: 4, epoch: 1, deadlineMs: 10_000 });
    await scene.letIn(socket);
    await scene.roomPeer().heard("took the room's answer");
    expect(scene.peer().isClosed).toBe(false);
    scene.roomPeer().path("up");
    await socket.next("call_media");
    // The other side may be quicker to leave: nobody takes that for a lost path.
    scene.peer().options.events.path("failed");
    await scene.peer().heard("closed");
    expect(call.phase.kind).toBe("connected");
    await call.media.setCamera(false);
    expect((await socket.next("room_update")).muted).toEqual(["camera"]);
  });

  test("needs a room for a third one, also where the word of it is lost", async () => {
    const [, socket] = await grow();
    socket.send({ type: "participant_joined", callId, rev: 4, ...evesPhone, name: "Eve" });
    await scene.offered(socket);
  });
});
