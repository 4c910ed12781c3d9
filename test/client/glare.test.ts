import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Call } from "../../client/index.ts";
import { bob, bobsPhone, callId, otherId, reaches, Scene } from "./call-scene.ts";

let scene: Scene;
beforeEach(async () => {
  scene = await Scene.start();
});
afterEach(() => scene.stop());

function merge(callType: "audio" | "video"): void {
  scene.client.socket.send({ type: "call_merged", callId, rev: 2, into: otherId, callType, sdp: "bob's offer" });
}

describe("both call each other, and this call gives way", () => {
  test("[GLARE-2] it answers the other one by itself, as the same call, and rings nobody", async () => {
    const rung: Call[] = [];
    scene.client.switchboard.incoming.subscribe((call) => rung.push(call));
    const call = await scene.initiate();
    const first = scene.peer();
    merge("video");
    expect(await scene.answered(otherId)).toBe("the answer");
    await reaches(call, "connecting");
    expect(call.id).toBe(otherId);
    expect(call.direction).toBe("outgoing");
    expect(first.isClosed).toBe(true);
    await scene.peer().heard("established: nothing");
    expect(scene.peer().options.isPolite).toBe(true);
    expect(scene.peer().told).toEqual(["offer: bob's offer", "audio on", "video on", "established: nothing"]);
    expect(scene.client.devices.opened.map(({ readyState }) => readyState)).toEqual(["live", "live"]);
    scene.peer().options.events.path("connected");
    expect(await scene.client.socket.next("call_media")).toMatchObject({ callId: otherId });
    expect(rung).toEqual([]);
  });

  test("[GLARE-2] video against audio: the camera stays off until the user turns it on", async () => {
    const call = await scene.initiate(true);
    merge("audio");
    await scene.answered(otherId);
    await reaches(call, "connecting");
    expect(scene.peer().told).toContain("audio on");
    expect(scene.peer().told).not.toContain("video on");
    expect(call.media.camera).toBeNull();
    await call.media.setCamera(true);
    expect(scene.peer().told).toContain("video on");
  });

  test("[GLARE-2] audio against video: the other one's picture is not taken, until they offer it anew", async () => {
    const call = await scene.initiate(false);
    merge("video");
    await scene.answered(otherId);
    await reaches(call, "connecting");
    expect(scene.peer().told).toContain("no picture");
    expect(call.media.camera).toBeNull();
  });

  test("the word of it is lost in a gap: the snapshots say so, and the ring that came instead stops", async () => {
    const call = await scene.initiate();
    scene.client.socket.close();
    const caller = { ...bob, deviceId: bobsPhone.deviceId };
    const merged = scene.snapshot({
      state: "ended",
      outcome: "cancelled",
      reason: "glare_merged",
      mergedInto: otherId,
    });
    const into = scene.snapshot({ callId: otherId, caller, state: "ringing", remainingMs: 20_000, sdp: "bob's offer" });
    const socket = await scene.edge.registered("/ws", scene.client.userId, [merged, into]);
    const command = await socket.next("call_answer");
    expect(command).toMatchObject({ callId: otherId, sdp: "the answer" });
    socket.send({ type: "call_connected", re: command.id, callId: otherId, rev: 2, answeredBy: scene.self });
    await reaches(call, "connecting");
    expect(scene.peer().told).toContain("offer: bob's offer");
  });

  test("another device of this user's was faster", async () => {
    const call = await scene.initiate();
    merge("video");
    const { id } = await scene.client.socket.next("call_answer");
    const byDevice = "a0000000-0000-4000-8000-0000000000d9";
    const answeredBy = { userId: scene.client.userId, deviceId: byDevice };
    scene.client.socket.send({ type: "already_answered", re: id, callId: otherId, rev: 2, answeredBy });
    await reaches(call, "ended");
    const ending = { kind: "cancelled", reason: "answered_elsewhere", byDevice };
    expect(call.phase).toEqual({ kind: "ended", ending });
  });
});

describe("both call each other, and this call goes on", () => {
  test("[GLARE-2] video against audio: the camera goes off until the user turns it on", async () => {
    const [call] = await scene.talk();
    const camera = call.media.camera;
    expect(camera?.readyState).toBe("live");
    scene.peer().options.events.pictureRefused();
    await scene.peer().heard("video off");
    expect(call.media.camera).toBeNull();
    expect(camera?.readyState).toBe("ended");
    expect(call.phase.kind).toBe("connected");
    await call.media.setCamera(true);
    expect(scene.peer().told.at(-1)).toBe("video on");
  });
});
