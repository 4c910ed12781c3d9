import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Call } from "../../client/index.ts";
import type { ScriptedConnection } from "../support/scripted-edge.ts";
import { bob, callId, eve, otherId, reaches, Scene, thirdId, until } from "./call-scene.ts";

let scene: Scene;
beforeEach(async () => {
  scene = await Scene.start();
});
afterEach(() => scene.stop());

describe("a second call", () => {
  test("[WAIT-1] waits as long as the first one lasts", async () => {
    const [first, socket] = await scene.talk();
    const second = await scene.rung("call_waiting");
    expect(second).toMatchObject({ person: eve, isWaiting: true });
    second.alerting();
    expect(await scene.client.socket.next("call_alerting")).toMatchObject({ callId: otherId });
    const ended = { outcome: "completed", reason: "hung_up", durationSeconds: 1 } as const;
    socket.send({ type: "call_ended", callId, rev: 4, ...ended });
    await reaches(first, "ended");
    await until(second, () => !second.isWaiting);
    expect(second.phase.kind).toBe("incoming");
  });

  test("[WAIT-1] end and accept", async () => {
    const [first, socket] = await scene.talk();
    const second = await scene.rung("call_waiting");
    const accepting = scene.client.switchboard.endAndAccept(second, { video: false });
    expect(await socket.next("call_end")).toMatchObject({ callId });
    expect(first.phase.kind).toBe("ended");
    await scene.answered(otherId);
    await accepting;
    expect(second.phase.kind).toBe("connecting");
  });

  test("[WAIT-2] hold and accept, and back: nothing of a held call is sent or heard", async () => {
    const [first, socket] = await scene.talk();
    const peer = scene.peer();
    const second = await scene.rung("call_waiting");
    const accepting = scene.client.switchboard.holdAndAccept(second, { video: true });
    expect(await socket.next("call_hold")).toMatchObject({ callId, on: true });
    await scene.answered(otherId);
    await accepting;
    expect(first.isOnHold).toBe(true);
    expect(peer.told.slice(-3)).toEqual(["silent", "audio off", "video off"]);
    expect(first.phase.kind).toBe("connected");

    await second.hold(true);
    await first.hold(false);
    expect(await socket.next("call_hold")).toMatchObject({ callId, on: false });
    expect(peer.told.slice(-3)).toEqual(["playing", "audio on", "video on"]);
  });

  /** Alice talks with Eve, and Bob is on hold. */
  async function holding(): Promise<[Call, Call, ScriptedConnection]> {
    const [first, socket] = await scene.talk();
    const second = await scene.rung("call_waiting");
    const accepting = scene.client.switchboard.holdAndAccept(second, { video: true });
    await socket.next("call_hold");
    await scene.answered(otherId);
    await accepting;
    return [first, second, socket];
  }

  test("[WAIT-2] hung up by this user: the one on hold goes on, as on a phone", async () => {
    const [first, second, socket] = await holding();
    second.hangUp();
    expect(await socket.next("call_hold")).toMatchObject({ callId, on: false });
    expect(first.isOnHold).toBe(false);
    expect(scene.peer(2).told.slice(-3)).toEqual(["playing", "audio on", "video on"]);
  });

  test("[WAIT-2] hung up by the other one: nobody is heard before this user says so", async () => {
    const [first, second] = await holding();
    const ended = { outcome: "completed", reason: "hung_up", durationSeconds: 1 } as const;
    scene.client.socket.send({ type: "call_ended", callId: otherId, rev: 4, ...ended });
    await reaches(second, "ended");
    expect(first.isOnHold).toBe(true);
  });

  test("[WAIT-2] the one on hold is hung up: the other one is not touched", async () => {
    const [first, second] = await holding();
    first.hangUp();
    expect(second.isOnHold).toBe(false);
    expect(scene.peer().told).not.toContain("silent");
  });

  test("[WAIT-1] a third one: end and accept ends the one that is talked in, and the one on hold stays so", async () => {
    const [first, second] = await holding();
    const third = await scene.rung("call_waiting", thirdId);
    const accepting = scene.client.switchboard.endAndAccept(third, { video: false });
    expect(second.phase.kind).toBe("ended");
    expect(first).toMatchObject({ isOnHold: true, phase: { kind: "connected" } });
    await scene.answered(thirdId);
    await accepting;
    expect(first.isOnHold).toBe(true);

    await scene.client.switchboard.switchTo(first);
    expect([first.isOnHold, third.isOnHold]).toEqual([false, true]);
  });

  test("[WAIT-1] end and accept while the only other call is on hold ends that one", async () => {
    const [first] = await scene.talk();
    await first.hold(true);
    const second = await scene.rung("call_waiting");
    const accepting = scene.client.switchboard.endAndAccept(second, { video: false });
    expect(first.phase.kind).toBe("ended");
    await scene.answered(otherId);
    await accepting;
  });

  test("[WAIT-1] hold and accept while this device dials: the call that nobody has answered is given up", async () => {
    const first = await scene.initiate();
    const second = await scene.rung("call_waiting");
    const accepting = scene.client.switchboard.holdAndAccept(second, { video: false });
    expect(await scene.client.socket.next("call_end")).toMatchObject({ callId });
    await scene.answered(otherId);
    await accepting;
    expect(first.phase.kind).toBe("ended");
  });

  test("[WAIT-1] declined: the first call is not touched", async () => {
    const [first] = await scene.talk();
    const second = await scene.rung("call_waiting");
    second.decline();
    expect(await scene.client.socket.next("call_decline")).toMatchObject({ callId: otherId, reason: "declined" });
    expect(first.phase.kind).toBe("connected");
  });
});

describe("on hold", () => {
  test("[WAIT-2] the other one's hold is heard, and comes with a snapshot too", async () => {
    const [call, socket] = await scene.talk();
    socket.send({ type: "call_held", callId, rev: 3, on: true, userId: bob.userId });
    await until(call, () => call.heldByPeer);
    const participants = [{ ...bob, state: "joined" as const }];
    socket.send({ type: "call_state", ...scene.snapshot({ rev: 4, participants }) });
    await until(call, () => !call.heldByPeer);
    expect(call.isOnHold).toBe(false);
  });

  test("a camera that is turned on meanwhile is seen only afterwards", async () => {
    const [call] = await scene.talk();
    await call.media.setCamera(false);
    await call.hold(true);
    await call.media.setCamera(true);
    expect(scene.peer().told.at(-1)).toBe("video off");
    await call.hold(false);
    expect(scene.peer().told.at(-1)).toBe("video on");
  });
});
