import { randomBytes, randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { CallEventsResponse, CallResponse, VapidKeyResponse } from "../../../schema/http.ts";
import type { PushPayload } from "../../../schema/push.ts";
import type { PushProvider } from "../../../schema/push-token.ts";
import { Device } from "../../support/device.ts";
import type { Person } from "../../support/edge.ts";
import { UNREGISTERED } from "../../support/push-fcm.ts";
import type { Scripted } from "../../support/push-gateway.ts";
import { PushScene } from "../../support/push-scene.ts";
import { initiate } from "../../support/scene.ts";

let scene: PushScene;
beforeAll(async () => {
  scene = await PushScene.start();
});
afterAll(() => scene.close());
afterEach(() => expect(scene.refusals).toEqual([]));

interface People {
  readonly ada: Person;
  readonly bob: Person;
  readonly caller: Device;
}

async function people(): Promise<People> {
  const [ada, bob] = await Promise.all([scene.edge.person("Ada"), scene.edge.person("Bob")]);
  return { ada, bob, caller: await scene.edge.device(ada) };
}

const hexToken = () => randomBytes(32).toString("hex");

/** A token of that provider, and what its gateway has for it next. */
function handset(provider: PushProvider): { token: string; next: () => Promise<PushPayload>; count: () => number } {
  switch (provider) {
    case "apns":
    case "apns_voip": {
      const token = hexToken();
      const mine = (push: { token: string }) => push.token === token;
      const next = async () => (await scene.apns.next(mine)).switchboard;
      return { token, next, count: () => scene.apns.received.filter(mine).length };
    }
    case "fcm": {
      const token = randomUUID();
      const mine = (push: { token: string }) => push.token === token;
      return {
        token,
        next: async () => (await scene.fcm.next(mine)).payload,
        count: () => scene.fcm.received.filter(mine).length,
      };
    }
    case "webpush": {
      const { id, token } = scene.web.subscribe();
      const mine = (push: { subscriptionId: string }) => push.subscriptionId === id;
      return {
        token,
        next: async () => (await scene.web.next(mine)).payload,
        count: () => scene.web.received.filter(mine).length,
      };
    }
  }
}

async function ringOf(next: () => Promise<PushPayload>) {
  const payload = await next();
  if (payload.type !== "incoming_call") throw new Error(`not a ring: ${payload.type}`);
  return payload;
}

/** What an app does that was woken: all that it has is in the push. */
async function asWoken(callToken: string, path: string, init: RequestInit = {}) {
  const answer = await scene.edge.fetch(path, { ...init, headers: { authorization: `Bearer ${callToken}` } });
  return CallResponse.parse(await answer.json()).call;
}

describe("a device without a socket", () => {
  test.each<PushProvider>(["apns", "apns_voip", "fcm", "webpush"])(
    "[PUSH-2] [PUSH-3] is rung by %s, looks, alerts and declines with what the push carries",
    async (provider) => {
      const { bob, caller, ada } = await people();
      const { token, next } = handset(provider);
      const deviceId = await scene.offline(bob, { provider, token });
      const { callId } = await initiate(caller, bob.userId);
      const { sentAt, expiresAt, callToken, ...payload } = await ringOf(next);
      const from = { userId: ada.userId, name: "Ada" };
      expect(payload).toEqual({ type: "incoming_call", callId, callType: "video", caller: from });
      const left = Date.parse(expiresAt) - Date.parse(sentAt);
      expect([left > 25_000, left <= 30_000]).toEqual([true, true]);
      expect(await asWoken(callToken, `/api/calls/${callId}`)).toMatchObject({
        callId,
        state: "reaching",
        sdp: "offer",
      });
      await asWoken(callToken, `/api/calls/${callId}/alerting`, { method: "POST" });
      expect(await caller.next("call_ringing")).toMatchObject({ callId });
      await asWoken(callToken, `/api/calls/${callId}/decline`, { method: "POST" });
      expect(await caller.next("call_ended")).toMatchObject({ outcome: "declined" });
      const notice = provider === "apns_voip" ? [] : [`${provider} notice accepted 1`];
      await scene.receipts(callId, [`${provider} ring accepted 1`, ...notice]);
      const answer = await scene.edge.as(bob, `/api/calls/${callId}/events`);
      const { pushes } = CallEventsResponse.parse(await answer.json());
      expect(pushes).toContainEqual(
        expect.objectContaining({ deviceId, provider, purpose: "ring", result: "accepted" }),
      );
    },
  );

  test("[PUSH-4] learns how the call ended, but never by a VoIP push, for which an iPhone would ring", async () => {
    const { bob, caller } = await people();
    const providers: PushProvider[] = ["apns", "apns_voip", "fcm", "webpush"];
    const handsets = providers.map((provider) => ({ provider, ...handset(provider) }));
    for (const { provider, token } of handsets) await scene.offline(bob, { provider, token });
    const { callId } = await initiate(caller, bob.userId);
    for (const { next } of handsets) expect((await ringOf(next)).callId).toBe(callId);
    caller.send({ type: "call_end", callId });
    for (const { provider, next } of handsets) {
      if (provider !== "apns_voip") expect(await next()).toMatchObject({ type: "missed_call", outcome: "cancelled" });
    }
    const rings = providers.map((provider) => `${provider} ring accepted 1`);
    const notices = ["apns", "fcm", "webpush"].map((provider) => `${provider} notice accepted 1`);
    await scene.receipts(callId, [...rings, ...notices]);
    expect(handsets.map(({ count }) => count())).toEqual([2, 1, 2, 2]);
  });

  test("[PUSH-4] learns that another device has answered, and nothing more when the talk is over", async () => {
    const { bob, caller } = await people();
    const phone = await scene.edge.device(bob);
    const { token, next, count } = handset("fcm");
    await scene.offline(bob, { provider: "fcm", token });
    const { callId } = await initiate(caller, bob.userId);
    await ringOf(next);
    phone.send({ type: "call_answer", callId, sdp: "answer" });
    expect(await next()).toMatchObject({ type: "answered_elsewhere", callId });
    caller.send({ type: "call_end", callId });
    await phone.next("call_ended");
    await scene.receipts(callId, ["fcm ring accepted 1", "fcm notice accepted 1"]);
    const again = await initiate(caller, bob.userId);
    expect((await ringOf(next)).callId).toBe(again.callId);
    expect(count()).toBe(3);
  });

  test("[SAFE-5] is not pushed while it does not want to be disturbed", async () => {
    const { bob, caller } = await people();
    const [quiet, loud] = [handset("fcm"), handset("fcm")];
    const deviceId = await scene.offline(bob, { provider: "fcm", token: quiet.token });
    await scene.offline(bob, { provider: "fcm", token: loud.token });
    await scene.edge.as(bob, `/api/devices/${deviceId}`, { method: "PUT", body: '{"doNotDisturb":true}' });
    const { callId } = await initiate(caller, bob.userId);
    await ringOf(loud.next);
    await scene.receipts(callId, ["fcm ring accepted 1"]);
    expect(quiet.count()).toBe(0);
  });
});

describe("a device with a socket", () => {
  test("[PUSH-2] is pushed only if it has not alerted within a second", async () => {
    const { bob, caller } = await people();
    const [awake, frozen] = [handset("fcm"), handset("fcm")];
    const phone = await scene.online(bob, { provider: "fcm", token: awake.token });
    await scene.online(bob, { provider: "fcm", token: frozen.token });
    const { callId } = await initiate(caller, bob.userId);
    await phone.next("incoming_call");
    const told = Date.now();
    phone.send({ type: "call_alerting", callId });
    await ringOf(frozen.next);
    expect(Date.now() - told).toBeGreaterThanOrEqual(900);
    const { userId: name } = bob;
    await scene.edge.harness.getWorker().evictDurableObject("UserObject", { name, webSockets: "hibernate" });
    caller.send({ type: "call_end", callId });
    expect(await frozen.next()).toMatchObject({ type: "missed_call" });
    await scene.receipts(callId, ["fcm ring accepted 1", "fcm notice accepted 1"]);
    expect(awake.count()).toBe(0);
  });

  test.each<[string, (bob: Person, device: Device, callId: string) => Promise<unknown>]>([
    [
      "HTTP",
      (bob, { deviceId }, callId) =>
        scene.edge.as(bob, `/api/calls/${callId}/alerting`, { method: "POST", body: JSON.stringify({ deviceId }) }),
    ],
    [
      "its call socket",
      async (bob, device, callId) =>
        (await scene.edge.callSocket(bob, device, callId)).send({ type: "call_alerting", callId }),
    ],
  ])("[PUSH-2] is not pushed that has alerted over %s", async (_way, alert) => {
    const { bob, caller } = await people();
    const [awake, frozen] = [handset("fcm"), handset("fcm")];
    const phone = await scene.online(bob, { provider: "fcm", token: awake.token });
    await scene.online(bob, { provider: "fcm", token: frozen.token });
    const { callId } = await initiate(caller, bob.userId);
    await phone.next("incoming_call");
    await alert(bob, phone, callId);
    await caller.next("call_ringing");
    await ringOf(frozen.next);
    await scene.receipts(callId, ["fcm ring accepted 1"]);
    expect(awake.count()).toBe(0);
  });

  test("[PUSH-4] never rings for a call that was over before its push was due", async () => {
    const { bob, caller } = await people();
    const { token, next, count } = handset("webpush");
    const tablet = await scene.online(bob, { provider: "webpush", token });
    const { callId } = await initiate(caller, bob.userId);
    await tablet.next("incoming_call");
    caller.send({ type: "call_end", callId });
    expect(await next()).toMatchObject({ type: "missed_call", callId, outcome: "cancelled" });
    await scene.receipts(callId, ["webpush ring expired 1", "webpush notice accepted 1"]);
    expect(count()).toBe(1);
  });
});

/** One after the other would wait three times for the same. */
async function withEach(
  providers: readonly PushProvider[],
  play: (provider: PushProvider) => Promise<void>,
): Promise<void> {
  await Promise.all(providers.map(play));
}

function gatewayOf(provider: PushProvider): { answers(...scripted: Scripted[]): void } {
  switch (provider) {
    case "apns":
    case "apns_voip":
      return scene.apns;
    case "fcm":
      return scene.fcm;
    case "webpush":
      return scene.web;
  }
}

describe("a provider that does not take a push", () => {
  const PROVIDERS: readonly PushProvider[] = ["apns_voip", "fcm", "webpush"];

  test("[PUSH-1] [PUSH-5] has its dead tokens forgotten, and with no other device the call is unreachable", () =>
    withEach(PROVIDERS, async (provider) => {
      const { bob, caller } = await people();
      const deviceId = await scene.offline(bob, { provider, token: handset(provider).token });
      expect((await scene.device(bob, deviceId))?.push).toBe(provider);
      gatewayOf(provider).answers(
        provider === "fcm" ? UNREGISTERED : { status: 410, body: { reason: "Unregistered" } },
      );
      const { callId } = await initiate(caller, bob.userId);
      expect(await caller.next("call_ended")).toMatchObject({ callId, outcome: "unreachable" });
      await expect.poll(async () => (await scene.device(bob, deviceId))?.push).toBeNull();
      await scene.receipts(callId, [`${provider} ring dead 1`]);
    }));

  test("[CALL-6] [PUSH-5] has nobody to take pushes to it: the call is unreachable as soon as without any device", () =>
    scene.withoutRelay(async () => {
      const { bob, caller } = await people();
      await scene.offline(bob, { provider: "apns_voip", token: handset("apns_voip").token });
      const { callId } = await initiate(caller, bob.userId);
      const initiated = performance.now();
      expect(await caller.next("call_ended")).toMatchObject({ callId, outcome: "unreachable" });
      expect(performance.now() - initiated).toBeLessThan(5_000);
    }));

  test("[PUSH-5] is asked again while the call rings, later each time or when it says so", () =>
    withEach(PROVIDERS, async (provider) => {
      const { bob, caller } = await people();
      const { token, next } = handset(provider);
      await scene.offline(bob, { provider, token });
      gatewayOf(provider).answers({ status: 503 }, { status: 429, headers: { "retry-after": "1" } });
      const { callId } = await initiate(caller, bob.userId);
      const rings = [await ringOf(next), await ringOf(next), await ringOf(next)];
      expect(new Set(rings.map((ring) => ring.callId))).toEqual(new Set([callId]));
      const [first = "", , last = ""] = rings.map(({ sentAt }) => sentAt);
      expect(Date.parse(last) - Date.parse(first)).toBeGreaterThanOrEqual(2_900);
      await scene.receipts(callId, [`${provider} ring accepted 3`]);
    }));

  test("[PUSH-4] [PUSH-5] is not asked to ring again once the call is over", async () => {
    const { bob, caller } = await people();
    const { token, next } = handset("fcm");
    await scene.offline(bob, { provider: "fcm", token });
    scene.fcm.answers({ status: 503, headers: { "retry-after": "2" } });
    const { callId } = await initiate(caller, bob.userId);
    await ringOf(next);
    caller.send({ type: "call_end", callId });
    expect(await next()).toMatchObject({ type: "missed_call" });
    await scene.receipts(callId, ["fcm ring expired 2", "fcm notice accepted 1"]);
  });
});

test("[PUSH-1] a token comes over the socket or over HTTP, and the newest counts", async () => {
  const { bob, caller } = await people();
  const [former, newest] = [handset("fcm"), handset("webpush")];
  const phone = await Device.open(`${scene.edge.ws}/ws`, bob.token, bob.userId, randomUUID());
  const { deviceId } = phone;
  const push = { provider: "fcm" as const, token: former.token };
  phone.send({ type: "register", deviceId, deviceType: "Android", push });
  await phone.next("registered");
  expect((await scene.device(bob, deviceId))?.push).toBe("fcm");
  await scene.register(bob, deviceId, { provider: "webpush", token: newest.token });
  expect((await scene.device(bob, deviceId))?.push).toBe("webpush");
  await phone.close();
  const { callId } = await initiate(caller, bob.userId);
  expect((await ringOf(newest.next)).callId).toBe(callId);
  expect(former.count()).toBe(0);
});

test("[PUSH-2] no push waits for the database", async () => {
  const { bob, caller } = await people();
  const { token, next } = handset("fcm");
  await scene.offline(bob, { provider: "fcm", token });
  await scene.edge.postgres.endpoint?.stop();
  const { callId } = await initiate(caller, bob.userId);
  expect((await ringOf(next)).callId).toBe(callId);
  caller.send({ type: "call_end", callId });
  expect(await next()).toMatchObject({ type: "missed_call" });
  await scene.edge.postgres.endpoint?.start();
  await scene.receipts(callId, ["fcm ring accepted 1", "fcm notice accepted 1"]);
});

test("[PUSH-1] a browser subscribes with the key that pushes are signed with", async () => {
  const { bob } = await people();
  const answer = await scene.edge.as(bob, "/api/push/vapid-key");
  const { publicKey } = VapidKeyResponse.parse(await answer.json());
  expect(publicKey).toBe(scene.web.applicationServerKey);
});
