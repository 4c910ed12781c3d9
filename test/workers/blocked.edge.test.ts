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
  await expect.poll(ended, { timeout: 8_000 }).toBe(calls.length);
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
});
