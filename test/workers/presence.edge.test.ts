import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DevicesResponse } from "../../schema/http.ts";
import { Device } from "../support/device.ts";
import { Edge } from "../support/edge.ts";
import { initiate } from "../support/scene.ts";

let edge: Edge;
beforeAll(async () => {
  edge = await Edge.start();
});
afterAll(() => edge.close());

async function watching() {
  const [ada, bob] = [await edge.person("Ada"), await edge.person("Bob")];
  const watcher = await edge.device(ada);
  watcher.send({ type: "presence_watch", userIds: [bob.userId] });
  const status = async () => (await watcher.next("presence", ({ userId }) => userId === bob.userId)).status;
  return { ada, bob, watcher, status };
}

describe("presence", () => {
  test("[PRES-1] [PRES-2] a watcher learns how things stand, then each change; a clean close counts at once", async () => {
    const { bob, status } = await watching();
    expect(await status()).toBe("offline");
    const phone = await edge.device(bob);
    expect(await status()).toBe("online");
    const tablet = await edge.device(bob);
    await phone.close();
    await tablet.close();
    expect(await status()).toBe("offline");
  });

  test("[PRES-1] a socket that the network cut is gone too", async () => {
    const { bob, status } = await watching();
    await status();
    const phone = await edge.device(bob);
    expect(await status()).toBe("online");
    phone.vanish();
    expect(await status()).toBe("offline");
  });

  test("[PRES-2] what is watched is replaced, and outlives an eviction", async () => {
    const { ada, bob, watcher, status } = await watching();
    await status();
    const eve = await edge.person("Eve");
    watcher.send({ type: "presence_watch", userIds: [eve.userId] });
    expect(await watcher.next("presence")).toMatchObject({ userId: eve.userId, status: "offline" });
    await edge.harness.getWorker().evictDurableObject("UserObject", { name: ada.userId, webSockets: "hibernate" });
    await edge.device(bob);
    await edge.device(eve);
    expect(await watcher.next("presence")).toMatchObject({ userId: eve.userId, status: "online" });
  });

  test("[PRES-2] nobody of whom nobody has told is offline", async () => {
    const { watcher } = await watching();
    const nobody = randomUUID();
    watcher.send({ type: "presence_watch", userIds: [nobody] });
    expect(await watcher.next("presence", ({ userId }) => userId === nobody)).toMatchObject({
      status: "offline",
      lastSeen: null,
    });
  });
});

describe("the sockets of a device", () => {
  test("[CONN-3] the newest counts, the older one is closed, and the user stays online", async () => {
    const { bob, status } = await watching();
    await status();
    const older = await edge.device(bob);
    expect(await status()).toBe("online");
    const newer = await edge.device(bob, older.deviceId);
    expect(await older.untilClosed()).toMatchObject({ code: 4000 });
    const { callId } = await initiate(await edge.device(await edge.person("Cy")), bob.userId);
    expect(await newer.next("incoming_call")).toMatchObject({ callId });
    const presence = await edge.as(bob, `/api/users/${bob.userId}/presence`);
    expect(await presence.json()).toMatchObject({ status: "online" });
  });

  test("[CONN-2] nothing but register is taken first, and registering again is harmless", async () => {
    const bob = await edge.person("Bob");
    const phone = await Device.open(`${edge.ws}/ws`, bob.token, bob.userId, randomUUID());
    expect(await phone.ask({ type: "presence_watch", userIds: [] })).toMatchObject({ code: "forbidden" });
    await phone.register();
    expect(await phone.register({ deviceName: "Bob's phone" })).toMatchObject({ deviceId: phone.deviceId });
    expect(phone.closed).toBeNull();
  });

  test("[WIRE-6] a ping is answered", async () => {
    const phone = await edge.device(await edge.person("Bob"));
    await phone.settle();
    expect(phone.frames).toContain("pong");
  });

  test("a removed device is closed and gone from the list", async () => {
    const bob = await edge.person("Bob");
    const phone = await edge.device(bob);
    const tablet = await edge.device(bob);
    const answer = await edge.as(bob, `/api/devices/${phone.deviceId}`, { method: "DELETE" });
    expect(answer.status).toBe(204);
    expect(await phone.untilClosed()).toMatchObject({ code: 4001 });
    const { devices } = DevicesResponse.parse(await (await edge.as(bob, "/api/devices")).json());
    expect(devices.map(({ deviceId }) => deviceId)).toEqual([tablet.deviceId]);
  });
});

describe("coming back", () => {
  test("[CONN-5] a device that comes while its user is rung rings, once, after it has registered", async () => {
    const [ada, bob] = [await edge.person("Ada"), await edge.person("Bob")];
    const [caller, phone] = [await edge.device(ada), await edge.device(bob)];
    const { callId } = await initiate(caller, bob.userId);
    await phone.next("incoming_call");
    const late = await edge.device(bob);
    expect(await late.next("incoming_call")).toMatchObject({ callId });
    await late.settle();
    expect(late.story()).toEqual(["registered", "incoming_call"]);
  });

  test("[CONN-5] a device whose call was answered while it was away learns so, and does not ring", async () => {
    const [ada, bob] = [await edge.person("Ada"), await edge.person("Bob")];
    const [caller, phone, tablet] = [await edge.device(ada), await edge.device(bob), await edge.device(bob)];
    const { callId } = await initiate(caller, bob.userId);
    await tablet.next("incoming_call");
    tablet.vanish();
    await phone.ask({ type: "call_answer", callId, sdp: "answer" });
    const back = await Device.open(`${edge.ws}/ws`, bob.token, bob.userId, tablet.deviceId);
    const { calls } = await back.register();
    expect(calls).toMatchObject([{ callId, state: "connecting", answeredBy: { deviceId: phone.deviceId } }]);
    await back.settle();
    expect(back.story()).toEqual(["registered"]);
  });

  test("[CALL-7] a caller who lost the socket finds the answer in the snapshot", async () => {
    const [ada, bob] = [await edge.person("Ada"), await edge.person("Bob")];
    const [caller, phone] = [await edge.device(ada), await edge.device(bob)];
    const { callId } = await initiate(caller, bob.userId);
    caller.vanish();
    await phone.ask({ type: "call_answer", callId, sdp: "the answer" });
    const back = await Device.open(`${edge.ws}/ws`, ada.token, ada.userId, caller.deviceId);
    const { calls } = await back.register();
    expect(calls).toMatchObject([{ callId, state: "connecting", sdp: "the answer" }]);
  });
});
