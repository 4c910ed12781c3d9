import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { ClientMessageInput } from "../../schema/client-messages.ts";
import { CONNECT_MS, RING_MS, WATCH_MS } from "../../schema/limits.ts";
import { ledgerEvent } from "../../workers/call/ledger-event.ts";
import type { Call } from "../../workers/call/state.ts";
import { logFor } from "../../workers/ledger/redaction.ts";
import type { User } from "../../workers/user/state.ts";
import { type Person, person, WorkerdDevice } from "../support/workerd-device.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterEach(() => {
  vi.useRealTimers();
});

async function http(who: Person, path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { authorization: `Bearer ${who.token}` };
  return exports.default.fetch(new Request(`http://switchboard.test${path}`, { ...init, headers }));
}

/** Bob has one device: it is away, and can be woken by a push. */
async function bobWhoIsAway(): Promise<Person> {
  const bob = await person("Bob");
  const phone = new WorkerdDevice(bob);
  await phone.connect();
  const token = JSON.stringify({ provider: "fcm", token: "of Bob's phone" });
  expect((await http(bob, `/api/devices/${phone.deviceId}/push-token`, { method: "PUT", body: token })).status).toBe(
    204,
  );
  await phone.disconnect();
  return bob;
}

/** All that a caller can see of a call to Bob, from dialling to its end and after, on every way there is. */
async function everythingSeen(caller: Person, bob: Person): Promise<unknown> {
  const start = Date.now();
  const device = new WorkerdDevice(caller);
  await device.connect();
  device.send({ type: "presence_watch", userIds: [bob.userId] });
  await device.next("presence");
  const call = { idempotencyKey: "k", calleeIds: [bob.userId], callType: "video" as const, sdp: "offer" };
  const seen: unknown[] = [await device.ask({ type: "call_initiate", ...call })];
  const { callId } = await device.next("call_initiated");
  const callSocket = new WorkerdDevice(caller, device.deviceId);
  seen.push(await callSocket.connect(`/calls/${callId}/ws`));
  const asked: ClientMessageInput[] = [
    { type: "call_initiate", ...call },
    { type: "call_sync", callId },
    { type: "ice_candidate", callId, candidates: [{ candidate: "a" }] },
    { type: "call_negotiate", callId, sdp: "early", sdpType: "offer" },
    { type: "call_invite", callId, calleeIds: [bob.userId] },
    { type: "call_hold", callId, on: true },
    { type: "call_answer", callId },
  ];
  const look = async () => {
    for (const message of asked) {
      if (message.type === "ice_candidate") callSocket.send(message);
      else seen.push(await (message.type === "call_initiate" ? device : callSocket).ask(message));
    }
    for (const path of [`/api/calls/${callId}`, `/api/users/${bob.userId}/presence`]) {
      const answer = await http(caller, path);
      seen.push([answer.status, await answer.json()]);
    }
  };
  await look();
  for (const ms of [CONNECT_MS, RING_MS - CONNECT_MS]) {
    vi.setSystemTime(Date.now() + ms);
    seen.push(await runDurableObjectAlarm(env.CALLS.getByName(callId)));
    await device.settle();
    await look();
  }
  const back = new WorkerdDevice(caller);
  seen.push(await back.connect());
  seen.push(await callSocket.ask({ type: "call_end", callId }));
  await callSocket.settle();
  seen.push(device.heard, callSocket.heard, await history(caller, callId));
  return normalised(seen, start, {
    [caller.userId]: "caller",
    [bob.userId]: "Bob",
    [callId]: "call",
    [device.deviceId]: "phone",
  });
}

/** As the ledger will tell it to the caller. */
async function history({ userId }: Person, callId: string): Promise<unknown> {
  const event = await runInDurableObject(env.CALLS.getByName(callId), (_object, state) => {
    const call = state.storage.kv.get<Call>("call");
    return call ? ledgerEvent(call) : null;
  });
  const mine = event?.participants.find((participant) => participant.userId === userId);
  const outcome = mine?.outcome ?? null;
  return [
    mine,
    event?.participants.map((who) => [who.userId, who.state]),
    logFor({ userId, outcome }, event?.log ?? []),
  ];
}

/** Names for ids, and times as how long after the start. */
function normalised(seen: unknown, start: number, names: Record<string, string>): unknown {
  return JSON.parse(JSON.stringify(seen), (key, value) => {
    if (key === "re" || key === "seq" || key === "lastSeen") return key;
    if (typeof value !== "string") return value;
    if (/^\d{4}-\d\d-\d\dT/.test(value)) return `+${Math.round((Date.parse(value) - start) / 1000)} s`;
    return names[value] ?? (/^[0-9a-f-]{36}$/.test(value) ? "another id" : value);
  });
}

describe("a caller who is blocked", () => {
  test("[SAFE-1] sees exactly what one sees who is not, and whom Bob did not hear", async () => {
    const bob = await bobWhoIsAway();
    const [eve, ada] = [await person("Ada"), await person("Ada")];
    expect((await http(bob, `/api/blocks/${ada.userId}`, { method: "PUT" })).status).toBe(204);
    const unblocked = await everythingSeen(eve, bob);
    const blocked = await everythingSeen(ada, bob);
    expect(JSON.stringify(unblocked)).toContain('"outcome":"missed"');
    expect(JSON.stringify(blocked)).not.toContain("blocked");
    expect(blocked).toEqual(unblocked);
  });

  test("[SAFE-1] [HIST-3] is blocked in the other's history also when the call's object was evicted before the ring ran out", async () => {
    const bob = await bobWhoIsAway();
    const ada = await person("Ada");
    await http(bob, `/api/blocks/${ada.userId}`, { method: "PUT" });
    const device = new WorkerdDevice(ada);
    await device.connect();
    const call = { idempotencyKey: "k", calleeIds: [bob.userId], callType: "video" as const };
    await device.ask({ type: "call_initiate", ...call });
    const { callId } = await device.next("call_initiated");
    await evictDurableObject(env.CALLS.getByName(callId), { webSockets: "hibernate" });
    vi.setSystemTime(Date.now() + RING_MS);
    expect(await runDurableObjectAlarm(env.CALLS.getByName(callId))).toBe(true);
    const ended = await env.CALLS.getByName(callId).look(bob.userId);
    expect(ended).toMatchObject({ state: "ended", ended: { outcome: "blocked" } });
  });

  test("[SAFE-1] the same holds for one whom Bob does not let ring", async () => {
    const bob = await bobWhoIsAway();
    const [eve, ada] = [await person("Ada"), await person("Ada")];
    const unsettled = await everythingSeen(eve, bob);
    const body = JSON.stringify({ ringFrom: "contacts" });
    expect((await http(bob, "/api/settings", { method: "PUT", body })).status).toBe(200);
    expect(await everythingSeen(ada, bob)).toEqual(unsettled);
  });
});

describe("a watcher who is blocked", () => {
  test("[SAFE-1] is not even asked whether they still care: the question would say that somebody is there", async () => {
    const [ada, bob] = [await person("Ada"), await person("Bob")];
    const [watcher, phone] = [new WorkerdDevice(ada), new WorkerdDevice(bob)];
    await watcher.connect();
    await phone.connect();
    watcher.send({ type: "presence_watch", userIds: [bob.userId] });
    await watcher.next("presence");
    expect((await http(bob, `/api/blocks/${ada.userId}`, { method: "PUT" })).status).toBe(204);
    await watcher.next("presence", ({ status }) => status === "offline");
    vi.setSystemTime(Date.now() + WATCH_MS + 1);
    await phone.ask({ type: "call_sync", callId: crypto.randomUUID() });
    await runDurableObjectAlarm(env.USERS.getByName(bob.userId));
    await watcher.settle();
    expect(watcher.story()).toEqual(["registered", "presence", "presence"]);
    const watchers = await runInDurableObject(env.USERS.getByName(bob.userId), (_object, state) => {
      return state.storage.kv.get<User>("user")?.watchers;
    });
    expect(watchers).toEqual({});
  });
});
