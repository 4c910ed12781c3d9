import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { callId, reaches, Scene } from "./call-scene.ts";

let scene: Scene;
beforeEach(async () => {
  scene = await Scene.start();
});
afterEach(() => scene.stop());

describe("the device comes to another network in a call", () => {
  test("[RES-5] its connections are asked for a sign of life, and the media path is renewed", async () => {
    const [, callSocket] = await scene.talk();
    scene.client.switchboard.networkChanged();
    await Promise.all([scene.client.socket.ping(), callSocket.ping()]);
    await scene.peer().heard("recover, moved");
  });

  test("[RES-5] before ICE is restarted the server has been heard from, on a new connection if need be, and relays are asked for", async () => {
    const [, callSocket] = await scene.talk();
    let isPrepared = false;
    const prepared = scene.peer().options.prepareRestart();
    void prepared.then(() => {
      isPrepared = true;
    });
    await Promise.all([scene.client.socket.ping(), callSocket.ping()]);
    scene.client.socket.sendRaw("pong");
    const next = await scene.edge.connection(`/calls/${callId}/ws`);
    const { deviceId } = await next.next("register");
    expect(isPrepared).toBe(false);
    next.send({ type: "registered", userId: scene.client.userId, deviceId, seq: 1, heartbeatMs: 20_000, calls: [] });
    expect(await prepared).toEqual({ iceServers: [{ urls: ["stun:127.0.0.1:3478"] }], iceTransportPolicy: "all" });
  });
});

describe("the other side loses its path", () => {
  test("[RES-5] the call is reconnecting here too, until the server says that it is back", async () => {
    const [call, socket] = await scene.talk();
    socket.send({ type: "call_state", ...scene.snapshot({ rev: 3, state: "reconnecting" }) });
    await reaches(call, "reconnecting");
    socket.send({ type: "call_state", ...scene.snapshot({ rev: 4, state: "connected" }) });
    await reaches(call, "connected");
  });

  test("[RES-5] it is connected as soon as this side's path is back, if that was lost as well", async () => {
    const [call, socket] = await scene.talk();
    scene.peer().options.events.path("recovering");
    socket.send({ type: "call_state", ...scene.snapshot({ rev: 3, state: "reconnecting" }) });
    await reaches(call, "reconnecting");
    scene.peer().options.events.path("connected");
    await reaches(call, "connected");
  });
});
