import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Call, SwitchboardErrorCode } from "../../client/index.ts";
import type { CallSnapshot } from "../../schema/call.ts";
import { connectClient, type ScriptedClient } from "../support/scripted-client.ts";
import { type ScriptedConnection, ScriptedEdge } from "../support/scripted-edge.ts";

const callId = "0192a000-0000-7000-8000-000000000001";
const bob = { userId: "b0000000-0000-4000-8000-000000000001", name: "Bob" };
const bobsPhone = { userId: bob.userId, deviceId: "b0000000-0000-4000-8000-0000000000d1" };
const candidate = (name: string) => ({ candidate: name, sdpMid: "0", sdpMLineIndex: 0 });

let edge: ScriptedEdge;
let client: ScriptedClient;
beforeEach(async () => {
  edge = await ScriptedEdge.start();
  client = await connectClient(edge);
});
afterEach(async () => {
  client.switchboard.close();
  await edge.stop();
});

/** Resolves once the call has come so far. */
async function reaches(call: Call, kind: Call["phase"]["kind"]): Promise<void> {
  while (call.phase.kind !== kind) {
    await new Promise<void>((resolve) => {
      const stop = call.changed.subscribe(() => {
        stop();
        resolve();
      });
    });
  }
}

function peer() {
  const last = client.peers.at(-1);
  if (!last) throw new Error("no media connection was opened");
  return last;
}

/** Bob is called, and the server has taken the call. */
async function initiate(video = true): Promise<Call> {
  const call = client.switchboard.call(bob, { video });
  const command = await client.socket.next("call_initiate");
  expect(command).toMatchObject({ calleeIds: [bob.userId], callType: video ? "video" : "audio", sdp: "the offer" });
  client.socket.send({
    type: "call_initiated",
    ...(command.id !== undefined && { re: command.id }),
    callId,
    rev: 1,
    deduplicated: false,
    state: "reaching",
  });
  await reaches(call, "reaching");
  return call;
}

async function rung(remainingMs = 30_000): Promise<Call> {
  const incoming = new Promise<Call>((resolve) => client.switchboard.incoming.subscribe(resolve));
  client.socket.send({ ...incomingCall(), remainingMs });
  return incoming;
}

function incomingCall() {
  const caller = { ...bob, deviceId: bobsPhone.deviceId };
  return {
    type: "incoming_call",
    callId,
    rev: 1,
    caller,
    callType: "video",
    sdp: "the offer",
    remainingMs: 30_000,
  } as const;
}

function snapshot(change: Partial<CallSnapshot>): CallSnapshot {
  const caller = { userId: client.userId, name: "Alice", deviceId: client.deviceId };
  return {
    callId,
    rev: 2,
    callType: "video",
    state: "connected",
    caller,
    participants: [],
    createdAt: "2026-01-01T00:00:00.000Z",
    ...change,
  };
}

/** The reply to this device's answer. */
async function reply(socket: ScriptedConnection, answeredBy: { userId: string; deviceId: string }, first = () => {}) {
  const { id, sdp } = await client.socket.next("call_answer");
  first();
  const isOurs = answeredBy.deviceId === client.deviceId;
  const type = isOurs ? ("call_connected" as const) : ("already_answered" as const);
  socket.send({ type, ...(id !== undefined && { re: id }), callId, rev: 2, answeredBy });
  return sdp;
}

/** Media that takes a relay (W3C webrtc-stats). */
const RELAYED = [
  { id: "P", type: "candidate-pair", localCandidateId: "L", selected: true },
  { id: "L", type: "local-candidate", candidateType: "relay" },
];

describe("calling", () => {
  test("from reaching to ringing to a call with media, and hanging up", async () => {
    const call = await initiate();
    const socket = await edge.registered(`/calls/${callId}/ws`, client.userId);
    client.socket.send({ type: "call_ringing", callId, rev: 1, userId: bob.userId, devices: 2 });
    await reaches(call, "ringing");
    socket.send({ type: "call_connected", callId, rev: 2, answeredBy: bobsPhone, sdp: "bob's answer" });
    await reaches(call, "connecting");
    await peer().heard("established: bob's answer");
    peer().reports = RELAYED;
    peer().options.events.path("connected");
    expect(await socket.next("call_media")).toMatchObject({ callId, state: "connected", candidateType: "relay" });
    expect(call.phase.kind).toBe("connected");

    call.hangUp();
    expect(call.phase).toEqual({ kind: "ended", ending: { kind: "hung_up", durationSeconds: 0 } });
    expect(await socket.next("call_end")).toMatchObject({ callId });
    expect(peer().isClosed).toBe(true);
    expect(client.devices.opened.map((track) => track.readyState)).toEqual(["ended", "ended"]);
  });

  test("candidates wait for the call's id, and go over its own socket once that is open", async () => {
    const call = client.switchboard.call(bob, { video: false });
    const command = await client.socket.next("call_initiate");
    peer().options.events.candidate(candidate("early"));
    client.socket.send({
      type: "call_initiated",
      ...(command.id !== undefined && { re: command.id }),
      callId,
      rev: 1,
      deduplicated: false,
      state: "reaching",
    });
    expect(await client.socket.next("ice_candidate")).toMatchObject({ callId, candidates: [{ candidate: "early" }] });
    const socket = await edge.registered(`/calls/${callId}/ws`, client.userId, [
      snapshot({ state: "ringing", rev: 1 }),
    ]);
    await reaches(call, "ringing");
    peer().options.events.candidate(candidate("late"));
    peer().options.events.candidate(null);
    expect(await socket.next("ice_candidate")).toMatchObject({
      candidates: [{ candidate: "late" }],
      endOfCandidates: true,
    });
  });

  test("hung up before the server had a name for the call: it is ended as soon as it has", async () => {
    const call = client.switchboard.call(bob, { video: true });
    const command = await client.socket.next("call_initiate");
    call.hangUp();
    expect(call.phase).toEqual({ kind: "ended", ending: { kind: "hung_up", durationSeconds: null } });
    client.socket.send({
      type: "call_initiated",
      ...(command.id !== undefined && { re: command.id }),
      callId,
      rev: 1,
      deduplicated: false,
      state: "reaching",
    });
    expect(await client.socket.next("call_end")).toMatchObject({ callId });
  });

  test("a refusal is a typed reason", async () => {
    const call = client.switchboard.call(bob, { video: false });
    const { id } = await client.socket.next("call_initiate");
    client.socket.send({ type: "error", ...(id !== undefined && { re: id }), code: "callee_unknown", message: "who?" });
    await reaches(call, "ended");
    expect(call.phase).toEqual({ kind: "ended", ending: { kind: "failed", code: "callee_unknown" } });
  });

  test("an initiation that was on its way when the connection broke goes out again, the same", async () => {
    client.switchboard.call(bob, { video: true });
    const first = await client.socket.next("call_initiate");
    client.socket.close();
    const again = await edge.registered("/ws", client.userId);
    expect(await again.next("call_initiate")).toEqual(first);
  });

  test.each([
    ["NotFoundError", "camera_missing"],
    ["NotAllowedError", "camera_denied"],
    ["NotReadableError", "camera_missing"],
  ] satisfies [string, SwitchboardErrorCode][])(
    "without a camera (%s) the call goes on by voice: %s",
    async (name, code) => {
      client.devices.refused.set("video", name);
      const call = await initiate(true);
      expect(call.media.withoutVideo).toBe(code);
      expect(peer().told).toEqual(["audio on"]);
    },
  );

  test("without a microphone there is no call, and nobody was rung", async () => {
    client.devices.refused.set("audio", "NotAllowedError");
    const call = client.switchboard.call(bob, { video: true });
    await reaches(call, "ended");
    expect(call.phase).toEqual({ kind: "ended", ending: { kind: "failed", code: "microphone_denied" } });
    expect(client.socket.received).toEqual([]);
  });
});

describe("being called", () => {
  test("ringing is told when it is real, the answer carries a description, media follows", async () => {
    const call = await rung();
    expect(call).toMatchObject({ direction: "incoming", callType: "video", person: bob });
    call.alerting();
    expect(await client.socket.next("call_alerting")).toMatchObject({ callId });
    const answering = call.answer({ video: true });
    const socket = await edge.registered(`/calls/${callId}/ws`, client.userId, [
      snapshot({ state: "ringing", rev: 1 }),
    ]);
    // The winner's candidates may come before the reply that tells it so.
    const candidates = [candidate("bob's")];
    const first = () => socket.send({ type: "ice_candidate", callId, rev: 2, candidates, from: bobsPhone });
    expect(await reply(socket, { userId: client.userId, deviceId: client.deviceId }, first)).toBe("the answer");
    await answering;
    await peer().heard("established: nothing");
    expect(peer().told).toEqual([
      "offer: the offer",
      "audio on",
      "video on",
      "candidates: bob's",
      "established: nothing",
    ]);
    expect(call.phase.kind).toBe("connecting");
  });

  test("media that flows before the reply to the answer is not forgotten", async () => {
    const call = await rung();
    const answering = call.answer({ video: false });
    const first = () => peer().options.events.path("connected");
    await reply(client.socket, { userId: client.userId, deviceId: client.deviceId }, first);
    await answering;
    expect(call.phase.kind).toBe("connected");
  });

  test("the other device was faster: this one learns which", async () => {
    const call = await rung();
    const answering = call.answer({ video: false });
    const byDevice = randomUUID();
    await reply(client.socket, { userId: client.userId, deviceId: byDevice });
    await answering;
    expect(call.phase).toEqual({
      kind: "ended",
      ending: { kind: "cancelled", reason: "answered_elsewhere", byDevice },
    });
    expect(peer().isClosed).toBe(true);
  });

  test("no microphone: the call rings on, and the next try takes it", async () => {
    const call = await rung();
    client.devices.refused.set("audio", "NotAllowedError");
    await expect(call.answer({ video: true })).rejects.toMatchObject({ code: "microphone_denied" });
    expect(call.phase.kind).toBe("incoming");
    client.devices.refused.clear();
    const answering = call.answer({ video: true });
    await reply(client.socket, { userId: client.userId, deviceId: client.deviceId });
    await answering;
    expect(call.phase.kind).toBe("connecting");
  });

  test.each(["declined", "ignored"] as const)("%s: over here at once, and told with its reason", async (reason) => {
    const call = await rung();
    if (reason === "declined") call.decline();
    else call.ignore();
    expect(call.phase).toEqual({ kind: "ended", ending: { kind: reason } });
    expect(await client.socket.next("call_decline")).toMatchObject({ callId, reason });
  });

  test("[GROUP-3] who has declined or left a group call and is invited once more is rung again", async () => {
    const seen: Call[] = [];
    client.switchboard.incoming.subscribe((call) => seen.push(call));
    const call = await rung(10_000);
    call.decline();
    const { id } = await client.socket.next("call_decline");
    client.socket.send({
      type: "call_declined",
      ...(id !== undefined && { re: id }),
      callId,
      rev: 2,
      reason: "declined",
    });
    const presence = new Promise((resolve) => client.switchboard.presence.subscribe(resolve));
    client.socket.send({ type: "presence", userId: bob.userId, status: "online", lastSeen: null });
    await presence;
    // A ring that ends later than the one before.
    client.socket.send({ ...incomingCall(), rev: 5 });
    await expect.poll(() => seen.map(({ phase }) => phase.kind)).toEqual(["ended", "incoming"]);
  });

  test("the same ring twice is one call, and an ignored one stays silent", async () => {
    const seen: Call[] = [];
    client.switchboard.incoming.subscribe((call) => seen.push(call));
    const call = await rung();
    client.socket.send(incomingCall());
    call.ignore();
    const { id } = await client.socket.next("call_decline");
    client.socket.send({
      type: "call_declined",
      ...(id !== undefined && { re: id }),
      callId,
      rev: 2,
      reason: "ignored",
    });
    client.socket.send(incomingCall());
    const presence = new Promise((resolve) => client.switchboard.presence.subscribe(resolve));
    client.socket.send({ type: "presence", userId: bob.userId, status: "online", lastSeen: null });
    await presence;
    expect(seen).toHaveLength(1);
  });

  test.each(["caller_hung_up", "timed_out", "declined_elsewhere"] as const)("told to stop: %s", async (reason) => {
    const call = await rung();
    client.socket.send({ type: "call_cancelled", callId, rev: 2, reason });
    await reaches(call, "ended");
    expect(call.phase).toEqual({ kind: "ended", ending: { kind: "cancelled", reason, byDevice: null } });
  });
});

describe("after a gap", () => {
  test("the answer that was missed comes with the snapshot", async () => {
    const call = await initiate();
    client.socket.close();
    await edge.registered("/ws", client.userId, [snapshot({ answeredBy: bobsPhone, sdp: "bob's answer" })]);
    await reaches(call, "connecting");
    await peer().heard("established: bob's answer");
    expect(peer().told).toContain("recover");
  });

  test("the device says how far it had come, and asks for a call of which it is told nothing", async () => {
    const call = await initiate();
    client.socket.close();
    const connection = await edge.connection("/ws");
    const { deviceId, since } = await connection.next("register");
    expect(since).toBe(7);
    connection.send({ type: "registered", userId: client.userId, deviceId, seq: 8, heartbeatMs: 20_000, calls: [] });
    const { id } = await connection.next("call_sync");
    const missed = snapshot({ state: "ended", outcome: "missed", reason: "timed_out", durationSeconds: 0 });
    connection.send({ type: "call_state", ...(id !== undefined && { re: id }), ...missed });
    await reaches(call, "ended");
    expect(call.phase).toEqual({
      kind: "ended",
      ending: { kind: "over", outcome: "missed", reason: "timed_out", durationSeconds: 0 },
    });
  });

  test("[ICE-2] candidates that went over the call's socket before an answer go again when it is back", async () => {
    await initiate();
    const ringing = [snapshot({ state: "ringing", rev: 1 })];
    const socket = await edge.registered(`/calls/${callId}/ws`, client.userId, ringing);
    peer().options.events.candidate(candidate("mine"));
    expect(await socket.next("ice_candidate")).toMatchObject({ candidates: [{ candidate: "mine" }] });
    socket.close();
    const again = await edge.registered(`/calls/${callId}/ws`, client.userId, ringing);
    expect(await again.next("ice_candidate")).toMatchObject({ candidates: [{ candidate: "mine" }] });

    again.send({ type: "call_connected", callId, rev: 2, answeredBy: bobsPhone, sdp: "bob's answer" });
    await peer().heard("established: bob's answer");
    again.close();
    const last = await edge.registered(`/calls/${callId}/ws`, client.userId, [snapshot({ answeredBy: bobsPhone })]);
    peer().options.events.candidate(candidate("another"));
    expect(await last.next("ice_candidate")).toMatchObject({ candidates: [{ candidate: "another" }] });
  });

  test("a hang-up while cut off is told on return", async () => {
    const call = await initiate();
    client.socket.close();
    const connection = await edge.connection("/ws");
    call.hangUp();
    const { deviceId } = await connection.next("register");
    connection.send({ type: "registered", userId: client.userId, deviceId, seq: 8, heartbeatMs: 20_000, calls: [] });
    expect(await connection.next("call_end")).toMatchObject({ callId });
  });

  test("a call of an earlier life of this device is ended, one of another device is left alone", async () => {
    client.socket.close();
    const others = snapshot({
      callId: "0192a000-0000-7000-8000-000000000002",
      caller: { ...bob, deviceId: randomUUID() },
    });
    const connection = await edge.registered("/ws", client.userId, [others, snapshot({})]);
    expect(await connection.next("call_end")).toMatchObject({ callId });
    expect(connection.received).toEqual([]);
  });

  test("what was watched is watched again", async () => {
    client.switchboard.watchPresence([bob.userId]);
    expect(await client.socket.next("presence_watch")).toMatchObject({ userIds: [bob.userId] });
    client.socket.close();
    const connection = await edge.registered("/ws", client.userId);
    expect(await connection.next("presence_watch")).toMatchObject({ userIds: [bob.userId] });
  });
});

describe("during the call", () => {
  async function connected(): Promise<[Call, ScriptedConnection]> {
    const call = await initiate();
    const socket = await edge.registered(`/calls/${callId}/ws`, client.userId);
    socket.send({ type: "call_connected", callId, rev: 2, answeredBy: bobsPhone, sdp: "bob's answer" });
    await reaches(call, "connecting");
    peer().options.events.path("connected");
    await socket.next("call_media");
    return [call, socket];
  }

  test("negotiation goes both ways", async () => {
    const [, socket] = await connected();
    peer().options.events.description({ sdpType: "offer", sdp: "another offer" });
    expect(await socket.next("call_negotiate")).toMatchObject({ callId, sdpType: "offer", sdp: "another offer" });
    socket.send({ type: "call_negotiate", callId, rev: 2, sdpType: "answer", sdp: "another answer", from: bobsPhone });
    await peer().heard("answer: another answer");
  });

  test("a broken path is told and shown, and so is its return", async () => {
    const [call, socket] = await connected();
    peer().options.events.path("recovering");
    expect(await socket.next("call_media")).toMatchObject({ state: "recovering" });
    expect(call.phase.kind).toBe("reconnecting");
    peer().reports = RELAYED;
    peer().options.events.path("connected");
    expect(await socket.next("call_media")).toMatchObject({ state: "connected", candidateType: "relay" });
    expect(call.phase.kind).toBe("connected");
  });

  test("the camera goes off, its device is free, and comes on again", async () => {
    const [call] = await connected();
    await call.media.setCamera(false);
    expect(call.media.camera).toBeNull();
    expect(client.devices.opened[1]?.readyState).toBe("ended");
    await call.media.setCamera(true);
    expect(call.media.camera).toBe(client.devices.opened[2]);
    expect(peer().told.filter((what) => what.startsWith("video"))).toEqual(["video on", "video off", "video on"]);
  });

  test("a muted microphone stays muted when it is exchanged", async () => {
    const [call] = await connected();
    call.media.mute(true);
    expect(client.devices.opened[0]?.enabled).toBe(false);
    await call.media.setMicrophone("another");
    expect(client.devices.opened.at(-1)).toMatchObject({ kind: "audio", enabled: false });
    expect(client.devices.opened[0]?.readyState).toBe("ended");
  });

  test("without its own socket the call goes on over the user's", async () => {
    const [call, socket] = await connected();
    socket.close();
    const again = await edge.connection(`/calls/${callId}/ws`);
    call.hangUp();
    expect(await client.socket.next("call_end")).toMatchObject({ callId });
    expect(again.received.filter((message) => message !== "ping" && message.type !== "register")).toEqual([]);
  });

  test("the other side hangs up: over, with the duration, and the call's socket is closed", async () => {
    const [call, socket] = await connected();
    socket.send({ type: "call_ended", callId, rev: 4, outcome: "completed", reason: "hung_up", durationSeconds: 75 });
    await reaches(call, "ended");
    expect(call.phase).toEqual({
      kind: "ended",
      ending: { kind: "over", outcome: "completed", reason: "hung_up", durationSeconds: 75 },
    });
  });
});
