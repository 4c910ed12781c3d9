import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BlocksResponse, ContactsResponse, DevicesResponse, PresenceResponse, Settings } from "../../schema/http.ts";
import { FLOOD_RATE } from "../../schema/limits.ts";
import { Edge, type Person } from "../support/edge.ts";
import { initiate, ring, scene } from "../support/scene.ts";

let edge: Edge;
beforeAll(async () => {
  edge = await Edge.start({
    INITIATION_BURST: "6",
    INITIATION_PER_MINUTE: "60",
    PAIR_BURST: "5",
    PAIR_PER_MINUTE: "60",
  });
});
afterAll(() => edge.close());

async function status(who: Person, method: string, path: string, body?: object): Promise<number> {
  const answer = await edge.as(who, path, { method, ...(body && { body: JSON.stringify(body) }) });
  return answer.status;
}

describe("who may ring", () => {
  test("[SAFE-1] [BLOCK-1] a blocked caller's call is silent, an unblocked one's rings again", async () => {
    const { ada, bob, caller, phone } = await scene(edge);
    expect(await status(bob, "PUT", `/api/blocks/${ada.userId}`)).toBe(204);
    const listed = BlocksResponse.parse(await (await edge.as(bob, "/api/blocks")).json());
    expect(listed.blocks.map(({ userId }) => userId)).toEqual([ada.userId]);
    await initiate(caller, bob.userId);
    await phone.settle();
    expect(phone.story()).toEqual(["registered"]);
    expect(await status(bob, "DELETE", `/api/blocks/${ada.userId}`)).toBe(204);
    const { callId } = await initiate(caller, bob.userId);
    expect(await phone.next("incoming_call")).toMatchObject({ callId });
  });

  test("[SAFE-1] whoever was blocked may still be called by the one who blocked them", async () => {
    const { ada, bob, caller, phone } = await scene(edge);
    await status(bob, "PUT", `/api/blocks/${ada.userId}`);
    const { callId } = await initiate(phone, ada.userId);
    expect(await caller.next("incoming_call")).toMatchObject({ callId });
  });

  test("[SAFE-2] [SET-1] only contacts may ring, when the user says so", async () => {
    const { ada, bob, caller, phone } = await scene(edge);
    const put = await edge.as(bob, "/api/settings", { method: "PUT", body: JSON.stringify({ ringFrom: "contacts" }) });
    expect(Settings.parse(await put.json())).toEqual({ ringFrom: "contacts", relayOnly: false });
    await initiate(caller, bob.userId);
    await phone.settle();
    expect(phone.story()).toEqual(["registered"]);
    expect(await status(bob, "POST", `/api/contacts/${ada.userId}`)).toBe(204);
    const { callId } = await initiate(caller, bob.userId);
    expect(await phone.next("incoming_call")).toMatchObject({ callId });
    expect(await status(bob, "DELETE", `/api/contacts/${ada.userId}`)).toBe(204);
  });

  test("[SAFE-5] [DEV-2] a device that is not to be disturbed stays silent, the others ring", async () => {
    const { bob, caller, phone, tablet } = await scene(edge);
    expect(await status(bob, "PUT", `/api/devices/${phone.deviceId}`, { doNotDisturb: true })).toBe(204);
    expect(await status(bob, "PUT", `/api/devices/${randomUUID()}`, { doNotDisturb: true })).toBe(404);
    const { callId } = await initiate(caller, bob.userId);
    await tablet.next("incoming_call");
    await phone.settle();
    expect(phone.story()).toEqual(["registered"]);
    const { devices } = DevicesResponse.parse(await (await edge.as(bob, "/api/devices")).json());
    expect(devices.find(({ deviceId }) => deviceId === phone.deviceId)).toMatchObject({ doNotDisturb: true });
    const back = await edge.device(bob, phone.deviceId);
    await back.settle();
    expect(back.story()).toEqual(["registered"]);
    await tablet.ask({ type: "call_decline", callId });
    expect(await caller.next("call_ended")).toMatchObject({ outcome: "declined" });
    await back.settle();
    expect(back.story()).toEqual(["registered"]);
  });

  test("[SAFE-5] with all devices silent the caller is not told so: it is as if nobody heard", async () => {
    const { bob, caller, phone, tablet, laptop } = await scene(edge);
    for (const { deviceId } of [phone, tablet, laptop]) {
      await status(bob, "PUT", `/api/devices/${deviceId}`, { doNotDisturb: true });
    }
    const { callId } = await initiate(caller, bob.userId);
    expect(await caller.ask({ type: "call_sync", callId })).toMatchObject({ state: "reaching" });
  });

  test("nobody blocks or adds themselves", async () => {
    const bob = await edge.person("Bob");
    expect(await status(bob, "PUT", `/api/blocks/${bob.userId}`)).toBe(400);
    expect(await status(bob, "POST", `/api/contacts/${bob.userId}`)).toBe(400);
    expect(await status(bob, "PUT", "/api/blocks/nobody")).toBe(400);
    expect(await status(bob, "PUT", "/api/settings", { ringFrom: "friends" })).toBe(400);
  });
});

describe("presence of somebody who has blocked", () => {
  test("[SAFE-1] the blocked watcher sees them leave, by every way of asking; others see them stay", async () => {
    const { ada, bob, caller } = await scene(edge);
    const eve = await edge.person("Eve");
    const eves = await edge.device(eve);
    for (const device of [caller, eves]) {
      device.send({ type: "presence_watch", userIds: [bob.userId] });
      expect(await device.next("presence")).toMatchObject({ status: "online" });
    }
    await status(bob, "PUT", `/api/blocks/${ada.userId}`);
    const left = await caller.next("presence");
    expect(left).toMatchObject({ userId: bob.userId, status: "offline" });
    const asked = async (who: Person) =>
      PresenceResponse.parse(await (await edge.as(who, `/api/users/${bob.userId}/presence`)).json());
    expect(await asked(ada)).toEqual({ userId: bob.userId, status: "offline", lastSeen: left.lastSeen });
    expect(await asked(eve)).toMatchObject({ status: "online" });
    const { contacts } = ContactsResponse.parse(await (await edge.as(ada, "/api/contacts")).json());
    expect(contacts.find(({ userId }) => userId === bob.userId) ?? left).toMatchObject({ status: "offline" });
    await edge.device(bob);
    caller.send({ type: "presence_watch", userIds: [bob.userId] });
    expect(await caller.next("presence")).toMatchObject({ status: "offline", lastSeen: left.lastSeen });
    await eves.settle();
    expect(eves.heard.filter(({ type }) => type === "presence")).toHaveLength(1);
  });
});

describe("too much", () => {
  test("[SAFE-3] too many initiations are refused, with the time to wait, and ring nowhere", async () => {
    const { bob, caller, phone } = await scene(edge);
    const cid = await edge.person("Cid");
    const ask = (calleeId: string) =>
      caller.ask({ type: "call_initiate", idempotencyKey: randomUUID(), calleeIds: [calleeId], callType: "audio" });
    for (let i = 0; i < 5; i++) expect(await ask(bob.userId)).toMatchObject({ type: "call_initiated" });
    const ofPair = await ask(bob.userId);
    expect(ofPair).toMatchObject({ code: "rate_limited", retryAfterMs: expect.any(Number) });
    expect(await ask(cid.userId)).toMatchObject({ code: "rate_limited" });
    await phone.settle();
    expect(phone.heard.filter(({ type }) => type === "incoming_call")).toHaveLength(5);
  });

  test("[SAFE-3] an attempt that makes no sense counts too", async () => {
    const { ada, bob, caller } = await scene(edge);
    const ask = (calleeId: string) =>
      caller.ask({ type: "call_initiate", idempotencyKey: randomUUID(), calleeIds: [calleeId], callType: "audio" });
    for (let i = 0; i < 5; i++) expect(await ask(ada.userId)).toMatchObject({ code: "bad_message" });
    expect(await ask(ada.userId)).toMatchObject({ code: "rate_limited" });
    expect(await ask(bob.userId)).toMatchObject({ code: "rate_limited" });
  });

  test("[SAFE-4] a socket that floods gets an error and is closed; the user's others live", async () => {
    const { bob, caller, phone, tablet, ...people } = await scene(edge);
    const flood = () => {
      for (let i = 0; i < 3 * FLOOD_RATE && !phone.closed; i++) phone.sendRaw(i % 2 === 0 ? "{" : '{"type":"none"}');
    };
    const timer = setInterval(flood, 200);
    const closed = await phone.untilClosed();
    clearInterval(timer);
    expect(closed.code).toBe(1008);
    expect(phone.heard.at(-1)).toMatchObject({ type: "error", code: "rate_limited" });
    const again = await edge.device(bob, phone.deviceId);
    await ring({ ...people, bob, caller, tablet, phone: again });
  });
});
