import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DevicesResponse as Devices, type DevicesResponse } from "../../schema/http.ts";
import { MAX_DEVICES, RING_MS } from "../../schema/limits.ts";
import { Device } from "../support/device.ts";
import { Edge, type Person } from "../support/edge.ts";
import { connect, initiate, ring, scene } from "../support/scene.ts";

let edge: Edge;
beforeAll(async () => {
  edge = await Edge.start();
});
afterAll(() => edge.close());

async function devices(person: Person): Promise<DevicesResponse["devices"]> {
  return Devices.parse(await (await edge.as(person, "/api/devices")).json()).devices;
}

async function remove(person: Person, { deviceId }: Device): Promise<void> {
  const answer = await edge.as(person, `/api/devices/${deviceId}`, { method: "DELETE" });
  expect(answer.status).toBe(204);
}

describe("one socket, one device", () => {
  test("[PRES-1] a socket that becomes another device's leaves none behind: its close takes the user away at once", async () => {
    const [ada, bob] = [await edge.person("Ada"), await edge.person("Bob")];
    const [watcher, phone] = [await edge.device(ada), await edge.device(bob)];
    watcher.send({ type: "presence_watch", userIds: [bob.userId] });
    expect(await watcher.next("presence")).toMatchObject({ status: "online" });
    const other = randomUUID();
    expect(await phone.ask({ type: "register", deviceId: other, deviceType: "Mac" })).toMatchObject({
      deviceId: other,
    });
    expect((await devices(bob)).map(({ deviceId, connected }) => [deviceId, connected])).toEqual([
      [phone.deviceId, false],
      [other, true],
    ]);
    await phone.close();
    expect(await watcher.next("presence")).toMatchObject({ userId: bob.userId, status: "offline" });
  });

  test("[CONN-3] [CONN-5] a device that registers again on its own socket keeps it, and hears again what rings", async () => {
    const people = await scene(edge);
    const callId = await ring(people);
    const { calls } = await people.phone.register();
    expect(calls).toMatchObject([{ callId }]);
    await people.phone.next("incoming_call", (m) => m.callId === callId);
    await people.phone.settle();
    expect(people.phone.closed).toBeNull();
    expect(await people.phone.ask({ type: "call_answer", callId, sdp: "answer" })).toMatchObject({
      type: "call_connected",
    });
  });

  test("[CONN-3] the older of two sockets says nothing for its device any more", async () => {
    const [ada, bob] = [await edge.person("Ada"), await edge.person("Bob")];
    const [caller, older] = [await edge.device(ada), await edge.device(bob)];
    const newer = await edge.device(bob, older.deviceId);
    expect(await older.untilClosed()).toMatchObject({ code: 4000 });
    const { callId } = await initiate(caller, bob.userId);
    await newer.next("incoming_call");
    expect(older.story()).toEqual(["registered"]);
    expect(await newer.ask({ type: "call_decline", callId })).toMatchObject({ type: "call_declined" });
    expect((await devices(bob)).map(({ connected }) => connected)).toEqual([true]);
  });
});

describe("[CONN-6] how many devices", () => {
  test("with as many connected as may be the next is refused; one that is away makes room", async () => {
    const bob = await edge.person("Bob");
    const all = await Promise.all(Array.from({ length: MAX_DEVICES }, () => edge.device(bob)));
    const next = await Device.open(`${edge.ws}/ws`, bob.token, bob.userId, randomUUID());
    const registration = { type: "register", deviceId: next.deviceId, deviceType: "Web" } as const;
    expect(await next.ask(registration)).toMatchObject({ type: "error", code: "forbidden" });
    const [first] = all;
    await first?.close();
    expect(await next.ask(registration)).toMatchObject({ type: "registered" });
    const ids = (await devices(bob)).map(({ deviceId }) => deviceId);
    expect(ids).toHaveLength(MAX_DEVICES);
    expect(ids).not.toContain(first?.deviceId);
  });
});

describe("a removed device", () => {
  test("is closed, takes its user offline with it, and is rung no more", async () => {
    const [ada, bob] = [await edge.person("Ada"), await edge.person("Bob")];
    const [caller, phone, tablet] = [await edge.device(ada), await edge.device(bob), await edge.device(bob)];
    caller.send({ type: "presence_watch", userIds: [bob.userId] });
    expect(await caller.next("presence")).toMatchObject({ status: "online" });
    await remove(bob, phone);
    expect(await phone.untilClosed()).toMatchObject({ code: 4001 });
    await initiate(caller, bob.userId);
    await tablet.next("incoming_call");
    expect(phone.story()).toEqual(["registered"]);
    await remove(bob, tablet);
    expect(await caller.next("presence")).toMatchObject({ userId: bob.userId, status: "offline" });
    expect(await devices(bob)).toEqual([]);
  });

  test("may come back, and is a new one", async () => {
    const bob = await edge.person("Bob");
    const phone = await edge.device(bob);
    await phone.register({ deviceName: "Bob's phone" });
    await remove(bob, phone);
    await phone.untilClosed();
    await edge.device(bob, phone.deviceId);
    expect(await devices(bob)).toMatchObject([{ deviceId: phone.deviceId, deviceName: null, connected: true }]);
  });

  test("ends no call that another device is in", async () => {
    const people = await scene(edge);
    const callId = await connect(people);
    await remove(people.bob, people.tablet);
    expect(await people.caller.ask({ type: "call_sync", callId })).toMatchObject({ state: "connecting" });
    expect(await people.phone.ask({ type: "call_end", callId })).toMatchObject({ outcome: "completed" });
  });
});

describe("[CONN-5] a late ring", () => {
  test("says how much of it remains, with what the caller offered, and can be answered", async () => {
    const [ada, bob] = [await edge.person("Ada"), await edge.person("Bob")];
    const [caller, phone] = [await edge.device(ada), await edge.device(bob)];
    const { callId } = await initiate(caller, bob.userId);
    const early = await phone.next("incoming_call");
    const late = await edge.device(bob);
    const rung = await late.next("incoming_call");
    expect(rung).toMatchObject({
      callId,
      sdp: "offer",
      callType: "video",
      caller: { userId: ada.userId, name: "Ada" },
    });
    expect(rung.remainingMs).toBeLessThan(early.remainingMs);
    expect(rung.remainingMs).toBeGreaterThan(RING_MS - 10_000);
    expect(await late.ask({ type: "call_answer", callId, sdp: "late" })).toMatchObject({ type: "call_connected" });
    expect(await phone.next("call_cancelled")).toMatchObject({ reason: "answered_elsewhere", byDevice: late.deviceId });
  });

  test("does not come for a call that is over", async () => {
    const [ada, bob] = [await edge.person("Ada"), await edge.person("Bob")];
    const [caller, phone] = [await edge.device(ada), await edge.device(bob)];
    const { callId } = await initiate(caller, bob.userId);
    await phone.next("incoming_call");
    await caller.ask({ type: "call_end", callId });
    const late = await edge.device(bob);
    await late.settle();
    expect(late.story()).toEqual(["registered"]);
    expect(await late.ask({ type: "call_answer", callId })).toMatchObject({ type: "call_ended", outcome: "cancelled" });
  });
});
