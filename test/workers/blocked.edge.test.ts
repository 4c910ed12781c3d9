import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HistoryResponse } from "../../schema/http.ts";
import type { Device } from "../support/device.ts";
import { Edge, type Person } from "../support/edge.ts";
import { initiate } from "../support/scene.ts";

/** What `blocked.workerd.test.ts` plays with the clock of its own, here with a database, and with calls given up. */
let edge: Edge;
beforeAll(async () => {
  edge = await Edge.start({ PAIR_BURST: "3", PAIR_PER_MINUTE: "0.001" });
});
afterAll(() => edge.close());

async function block(bob: Person, who: Person): Promise<void> {
  expect((await edge.as(bob, `/api/blocks/${who.userId}`, { method: "PUT" })).status).toBe(204);
}

/** Bob's only device is away, and can be woken by a push. */
async function bobWhoIsAway(): Promise<Person> {
  const bob = await edge.person("Bob");
  const phone = await edge.device(bob);
  const body = JSON.stringify({ provider: "fcm", token: "of Bob's phone" });
  const answer = await edge.as(bob, `/api/devices/${phone.deviceId}/push-token`, { method: "PUT", body });
  expect(answer.status).toBe(204);
  await phone.close();
  return bob;
}

async function json(who: Person, path: string): Promise<[number, unknown]> {
  const answer = await edge.as(who, path);
  return [answer.status, await answer.json()];
}

async function listed(who: Person, query = ""): Promise<HistoryResponse["calls"]> {
  return HistoryResponse.parse((await json(who, `/api/calls${query}`))[1]).calls;
}

async function giveUp(caller: Device, bob: Person): Promise<string> {
  const { callId } = await initiate(caller, bob.userId);
  expect(await caller.ask({ type: "call_end", callId })).toMatchObject({ type: "call_ended" });
  return callId;
}

/** Calls Bob until the limit, gives each call up, and looks everywhere. */
async function everythingSeen(who: Person, bob: Person): Promise<unknown> {
  const device = await edge.device(who);
  const first = await giveUp(device, bob);
  const second = await initiate(device, bob.userId);
  const socket = await edge.callSocket(who, device, second.callId);
  const live = await json(who, `/api/calls/${second.callId}`);
  await socket.ask({ type: "call_end", callId: second.callId });
  const calls = [first, second.callId, await giveUp(device, bob)];
  const more = { idempotencyKey: randomUUID(), calleeIds: [bob.userId], callType: "audio" as const };
  const refused = await device.ask({ type: "call_initiate", ...more });
  expect(refused).toMatchObject({ code: "rate_limited", retryAfterMs: expect.any(Number) });
  const ended = async () => (await listed(who)).filter(({ outcome }) => outcome !== null).length;
  await expect.poll(ended).toBe(calls.length);
  const pages = [
    "/api/calls",
    "/api/calls?outcome=missed",
    "/api/calls?outcome=cancelled",
    "/api/calls?outcome=blocked",
  ];
  const ofCalls = calls.flatMap((callId) => [`/api/calls/${callId}`, `/api/calls/${callId}/events`]);
  const presence = `/api/users/${bob.userId}/presence`;
  const seen: unknown[] = [live];
  for (const path of [...pages, ...ofCalls, presence, "/api/ice-servers"]) seen.push(await json(who, path));
  const names = [who.userId, bob.userId, device.deviceId, ...calls];
  return normalised([seen, device.heard, socket.heard], names);
}

/** Ids by their number, no times, and of what was signed only that it was. */
function normalised(seen: unknown, ids: readonly string[]): unknown {
  return JSON.parse(JSON.stringify(seen), (key, value) => {
    if (["re", "seq", "username", "credential", "remainingMs", "retryAfterMs"].includes(key)) return key;
    if (typeof value !== "string") return value;
    if (/^\d{4}-\d\d-\d\dT/.test(value)) return "a time";
    const known = ids.indexOf(value);
    return known < 0 ? value : `id ${known}`;
  });
}

describe("a caller who is blocked and gives up", () => {
  test("[SAFE-1] [SAFE-3] sees, hears, reads and is limited as one who is not", async () => {
    const bob = await bobWhoIsAway();
    const [eve, ada] = [await edge.person("Ada"), await edge.person("Ada")];
    await block(bob, ada);
    const unblocked = await everythingSeen(eve, bob);
    const blocked = await everythingSeen(ada, bob);
    expect(JSON.stringify(unblocked)).toContain('"outcome":"cancelled"');
    expect(JSON.stringify(blocked)).not.toContain("blocked");
    expect(blocked).toEqual(unblocked);
  });

  test("[SAFE-1] is in the history of who blocked them only where that is asked for", async () => {
    const bob = await bobWhoIsAway();
    const [eve, ada] = [await edge.person("Eve"), await edge.person("Ada")];
    await block(bob, ada);
    const silent = await giveUp(await edge.device(ada), bob);
    const heard = await giveUp(await edge.device(eve), bob);
    const ids = async (query = "") => (await listed(bob, query)).map(({ id, outcome }) => [id, outcome]);
    await expect.poll(() => ids("?outcome=blocked")).toEqual([[silent, "blocked"]]);
    await expect.poll(() => ids()).toEqual([[heard, "cancelled"]]);
  });
});

describe("somebody who is blocked", () => {
  test("[SAFE-1] hears nothing when who blocked them comes and goes, and hears of them again afterwards", async () => {
    const [ada, bob, eve] = [await edge.person("Ada"), await edge.person("Bob"), await edge.person("Eve")];
    const [watcher, other, phone] = [await edge.device(ada), await edge.device(eve), await edge.device(bob)];
    for (const device of [watcher, other]) {
      device.send({ type: "presence_watch", userIds: [bob.userId] });
      await device.next("presence");
    }
    await block(bob, ada);
    await watcher.next("presence", ({ status }) => status === "offline");
    await phone.close();
    await other.next("presence", ({ status }) => status === "offline");
    await edge.device(bob);
    await other.next("presence", ({ status }) => status === "online");
    await watcher.settle();
    expect(watcher.story()).toEqual(["registered", "presence", "presence"]);
    expect((await edge.as(bob, `/api/blocks/${ada.userId}`, { method: "DELETE" })).status).toBe(204);
    await watcher.next("presence", ({ status }) => status === "online");
  });

  test("[SAFE-1] does not ring by way of somebody else's call", async () => {
    const [ada, bob, cid] = [await edge.person("Ada"), await edge.person("Bob"), await edge.person("Cid")];
    const [adas, bobs, cids] = [await edge.device(ada), await edge.device(bob), await edge.device(cid)];
    await block(bob, ada);
    const { callId } = await initiate(cids, ada.userId);
    await adas.next("incoming_call");
    adas.send({ type: "call_answer", callId, sdp: "answer" });
    await adas.next("call_connected");
    const invited = await adas.ask({ type: "call_invite", callId, calleeIds: [bob.userId] });
    expect(invited).toMatchObject({ participants: [{}, {}, { userId: bob.userId, state: "invited" }] });
    // One who may ring him does, and by then the other's word would have come too.
    await initiate(await edge.device(await edge.person("Eve")), bob.userId);
    await bobs.next("incoming_call", (message) => message.callId !== callId);
    expect(bobs.story()).toEqual(["registered", "incoming_call"]);
  });
});
