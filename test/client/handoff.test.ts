import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Call, CallElsewhere } from "../../client/index.ts";
import { bob, bobsPhone, bobsTablet, callId, ownTablet, reaches, Scene, until } from "./call-scene.ts";

const connectionId = "the second";

let scene: Scene;
beforeEach(async () => {
  scene = await Scene.start();
});
afterEach(() => scene.stop());

describe("the other side moves to another device", () => {
  /** Bob's tablet offers, and Alice answers it on a second connection. */
  async function offered(): Promise<Awaited<ReturnType<Scene["talk"]>>> {
    const [call, socket] = await scene.talk();
    const offer = { sdp: "tablet's offer", sdpType: "offer" as const, handoff: true, connectionId, from: bobsTablet };
    socket.send({ type: "call_negotiate", callId, rev: 3, ...offer });
    const candidates = [{ candidate: "tablet's", sdpMid: "0", sdpMLineIndex: 0 }];
    socket.send({ type: "ice_candidate", callId, rev: 3, candidates, connectionId, from: bobsTablet });
    const answer = { sdp: "the answer", sdpType: "answer", connectionId };
    expect(await socket.next("call_negotiate")).toMatchObject(answer);
    return [call, socket];
  }

  test("[HAND-1] [HAND-3] the first connection goes on until the call has moved", async () => {
    const [call, socket] = await offered();
    const [first, second] = [scene.peer(2), scene.peer()];
    await second.heard("candidates: tablet's");
    expect(second.told).toEqual(expect.arrayContaining(["offer: tablet's offer", "audio on", "video on"]));
    second.options.events.candidate({ candidate: "ours", sdpMid: "0", sdpMLineIndex: 0 });
    expect(await socket.next("ice_candidate")).toMatchObject({ candidates: [{ candidate: "ours" }], connectionId });
    first.options.events.description({ sdpType: "answer", sdp: "of the first" });
    expect(await socket.next("call_negotiate")).toMatchObject({ sdp: "of the first", connectionId: "first" });
    second.options.events.path("connected");
    expect(first.isClosed).toBe(false);

    socket.send({ type: "call_handed_off", callId, rev: 4, ...bobsTablet });
    await first.heard("closed");
    expect(await socket.next("call_media")).toMatchObject({ state: "connected" });
    expect(call.phase.kind).toBe("connected");
    await call.media.setCamera(false);
    expect(second.told.at(-1)).toBe("video off");
  });

  test("[HAND-4] it comes to nothing: the second connection is dropped and the first one stays", async () => {
    const [call, socket] = await offered();
    socket.send({ type: "call_handoff_failed", callId, rev: 4, deviceId: bobsTablet.deviceId });
    await scene.peer().heard("closed");
    expect(scene.peer(2).isClosed).toBe(false);
    expect(call.phase.kind).toBe("connected");
  });
});

describe("on an idle device", () => {
  /** Alice's tablet has the call. */
  function onTablet() {
    const caller = { userId: scene.client.userId, name: "Alice", deviceId: ownTablet };
    const bobs = { ...bob, state: "joined" as const, deviceId: bobsPhone.deviceId };
    return scene.snapshot({ caller, participants: [{ ...caller, state: "joined" }, bobs] });
  }

  async function learnt(wanted = false): Promise<CallElsewhere> {
    const { switchboard, socket } = scene.client;
    const changed = new Promise<readonly CallElsewhere[]>((resolve) => switchboard.elsewhere.subscribe(resolve));
    const where = { deviceId: ownTablet, callType: "video" as const, state: "connected" as const };
    socket.send({ type: "call_elsewhere", callId, rev: 2, ...where, ...(wanted && { wanted }) });
    await scene.synced(onTablet());
    const [call] = await changed;
    if (!call) throw new Error("there is no call elsewhere");
    return call;
  }

  test("[HAND-2] the call is shown with whom it is, until it is over", async () => {
    expect(await learnt()).toMatchObject({ callId, deviceId: ownTablet, person: bob, isWanted: false });
    const gone = new Promise((resolve) => scene.client.switchboard.elsewhere.subscribe(resolve));
    const where = { deviceId: ownTablet, callType: "video" as const, state: "ended" as const };
    scene.client.socket.send({ type: "call_elsewhere", callId, rev: 5, ...where });
    expect(await gone).toEqual([]);
  });

  test("[HAND-2] it is not shown any more when it rings here: its user had left it", async () => {
    await learnt();
    const gone = new Promise((resolve) => scene.client.switchboard.elsewhere.subscribe(resolve));
    const caller = { ...bob, deviceId: bobsPhone.deviceId };
    const ring = { caller, callType: "group" as const, remainingMs: 20_000 };
    scene.client.socket.send({ type: "incoming_call", callId, rev: 6, ...ring });
    expect(await gone).toEqual([]);
  });

  test("[HAND-2] one that comes later learns of it by its snapshot", async () => {
    const { switchboard, socket, userId } = scene.client;
    const changed = new Promise((resolve) => switchboard.elsewhere.subscribe(resolve));
    socket.close();
    await scene.edge.registered("/ws", userId, [onTablet()]);
    expect(await changed).toMatchObject([{ callId, person: bob }]);
  });

  test("[HAND-7] it is told that the other device wants it to take over", async () => {
    expect(await learnt(true)).toMatchObject({ isWanted: true });
  });

  async function moving(): Promise<[Call, string]> {
    const { socket, switchboard } = scene.client;
    const call = switchboard.moveHere(await learnt(), { video: true });
    expect(call).toMatchObject({ direction: "outgoing", person: bob, phase: { kind: "moving" } });
    const command = await socket.next("call_handoff");
    expect(command).toMatchObject({ callId, sdp: "the offer" });
    const reply = { callId, rev: 3, deviceId: scene.client.deviceId };
    socket.send({ type: "call_handoff_ready", ...(command.id !== undefined && { re: command.id }), ...reply });
    return [call, command.connectionId ?? ""];
  }

  test("[HAND-1] [HAND-3] it takes the call over when its own media flows", async () => {
    const [call, id] = await moving();
    const { socket, userId, deviceId, switchboard } = scene.client;
    const answer = { sdp: "bob's answer", sdpType: "answer" as const, connectionId: id, from: bobsPhone };
    socket.send({ type: "call_negotiate", callId, rev: 3, ...answer });
    await scene.peer().heard("established: bob's answer");
    scene.peer().options.events.path("connected");
    expect(await socket.next("call_media")).toMatchObject({ callId, state: "connected" });
    expect(call.phase.kind).toBe("moving");
    socket.send({ type: "call_handed_off", callId, rev: 4, userId, deviceId });
    await reaches(call, "connected");
    expect(call.phase).toMatchObject({ since: Date.parse("2026-01-01T00:00:10.000Z") });
    expect(switchboard.callsElsewhere).toEqual([]);
    await scene.edge.registered(`/calls/${callId}/ws`, userId);
  });

  test("[HAND-4] it comes to nothing: the call stays on the other device", async () => {
    const [call] = await moving();
    const { socket, deviceId, switchboard } = scene.client;
    socket.send({ type: "call_handoff_failed", callId, rev: 4, deviceId });
    await reaches(call, "ended");
    expect(call.phase).toEqual({ kind: "ended", ending: { kind: "not_moved" } });
    expect(switchboard.callsElsewhere).toHaveLength(1);
    expect(scene.client.devices.opened.every(({ readyState }) => readyState === "ended")).toBe(true);
  });

  test("given up on the way: the call is left alone", async () => {
    const [call] = await moving();
    call.hangUp();
    expect(await scene.client.socket.next("call_media")).toMatchObject({ callId, state: "failed" });
    expect(call.phase).toEqual({ kind: "ended", ending: { kind: "not_moved" } });
  });
});

describe("the device that has the call", () => {
  test("[HAND-3] closes its media when another one has it, and may take it back", async () => {
    const [call, socket] = await scene.talk();
    const { switchboard, userId } = scene.client;
    const changed = new Promise((resolve) => switchboard.elsewhere.subscribe(resolve));
    socket.send({ type: "call_handed_off", callId, rev: 4, userId, deviceId: ownTablet });
    await reaches(call, "ended");
    const ending = { kind: "cancelled", reason: "handed_off", byDevice: ownTablet };
    expect(call.phase).toEqual({ kind: "ended", ending });
    expect(scene.peer().isClosed).toBe(true);
    expect(await changed).toMatchObject([{ callId, deviceId: ownTablet, person: bob }]);
  });

  test("[HAND-7] asks an idle one to take it over", async () => {
    const [call, socket] = await scene.talk();
    const asking = call.moveTo(ownTablet);
    const { id, toDeviceId } = await socket.next("call_handoff");
    expect(toDeviceId).toBe(ownTablet);
    socket.send({
      type: "call_handoff_ready",
      ...(id !== undefined && { re: id }),
      callId,
      rev: 3,
      deviceId: ownTablet,
    });
    await asking;
    expect(call.phase.kind).toBe("connected");
  });

  test("[RES-3] is told to leave after a gap in which the call moved", async () => {
    const [call] = await scene.talk();
    scene.client.socket.close();
    const socket = await scene.edge.registered("/ws", scene.client.userId, [scene.snapshot()]);
    socket.send({ type: "recover", callId, rev: 5, action: "leave" });
    await reaches(call, "ended");
    const ending = { kind: "cancelled", reason: "handed_off", byDevice: null };
    expect(call.phase).toEqual({ kind: "ended", ending });
  });

  test("[RES-4] asks how the call stands when it has missed a revision", async () => {
    const [call, socket] = await scene.talk();
    socket.send({ type: "call_held", callId, rev: 3, on: true, userId: bob.userId });
    await until(call, () => call.heldByPeer);
    expect(socket.received).toEqual([]);
    socket.send({ type: "call_held", callId, rev: 6, on: true, userId: bob.userId });
    await scene.synced(scene.snapshot({ rev: 6 }), socket);
    await until(call, () => !call.heldByPeer);
  });
});
