import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { RING_MS } from "../../schema/limits.ts";
import { type Person, person, WorkerdDevice } from "../support/workerd-device.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterEach(() => {
  vi.useRealTimers();
});

async function put(who: Person, path: string, body?: object): Promise<void> {
  const headers = { authorization: `Bearer ${who.token}` };
  const init = { method: "PUT", headers, ...(body && { body: JSON.stringify(body) }) };
  expect((await exports.default.fetch(new Request(`http://switchboard.test${path}`, init))).ok).toBe(true);
}

async function call(device: WorkerdDevice, { userId }: Person): Promise<string> {
  const about = { idempotencyKey: crypto.randomUUID(), calleeIds: [userId], callType: "video" as const, sdp: "offer" };
  await device.ask({ type: "call_initiate", ...about });
  const { callId } = await device.next("call_initiated");
  // The next call has the higher id.
  vi.setSystemTime(Date.now() + 1_000);
  return callId;
}

interface Couple {
  readonly ada: Person;
  readonly bob: Person;
  readonly adas: WorkerdDevice;
  readonly bobs: WorkerdDevice;
}

/** Bob does not let Ada through. */
async function couple(turnAway: (bob: Person, ada: Person) => Promise<void>): Promise<Couple> {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  await turnAway(bob, ada);
  const [adas, bobs] = [new WorkerdDevice(ada), new WorkerdDevice(bob)];
  for (const device of [adas, bobs]) await device.connect();
  return { ada, bob, adas, bobs };
}

/** Bob's call reaches Ada on the device that she calls with; hers is missed, as if he had been nowhere near. */
async function expectApart({ bob, adas, bobs }: Couple, hers: string, his: string): Promise<void> {
  await bobs.settle();
  expect(await env.CALLS.getByName(his).look(bob.userId)).toMatchObject({ state: "reaching" });
  expect(await adas.ask({ type: "call_answer", callId: his, sdp: "answer" })).toMatchObject({ type: "call_connected" });
  expect(await bobs.next("call_connected")).toMatchObject({ callId: his });
  vi.setSystemTime(Date.now() + RING_MS);
  await runDurableObjectAlarm(env.CALLS.getByName(hers));
  expect(await adas.next("call_ended")).toMatchObject({ callId: hers, outcome: "missed", reason: "timed_out" });
  for (const device of [adas, bobs]) expect(device.story()).not.toContain("call_merged");
  expect(bobs.heard.filter((message) => "callId" in message && message.callId === hers)).toEqual([]);
}

describe.each<[string, (bob: Person, ada: Person) => Promise<void>]>([
  ["has blocked the other", (bob, ada) => put(bob, `/api/blocks/${ada.userId}`)],
  ["is rung by contacts only", (bob) => put(bob, "/api/settings", { ringFrom: "contacts" })],
])(
  "[GLARE-5] [SAFE-1] [SAFE-2] two who call each other, one of whom %s: the calls know nothing of each other",
  (_how, turnAway) => {
    test("the one that is turned away came first", async () => {
      const two = await couple(turnAway);
      const hers = await call(two.adas, two.bob);
      const his = await call(two.bobs, two.ada);
      expect(await two.adas.next("call_waiting")).toMatchObject({ callId: his, sdp: "offer" });
      await expectApart(two, hers, his);
    });

    test("the one that is turned away came first, and its caller's object has forgotten how it was taken", async () => {
      const two = await couple(turnAway);
      const hers = await call(two.adas, two.bob);
      await evictDurableObject(env.USERS.getByName(two.ada.userId), { webSockets: "hibernate" });
      const his = await call(two.bobs, two.ada);
      expect(await two.adas.next("call_waiting")).toMatchObject({ callId: his, sdp: "offer" });
      await expectApart(two, hers, his);
    });

    test("the one that is turned away came second", async () => {
      const two = await couple(turnAway);
      const his = await call(two.bobs, two.ada);
      expect(await two.adas.next("incoming_call")).toMatchObject({ callId: his });
      await expectApart(two, await call(two.adas, two.bob), his);
    });
  },
);

test("[GLARE-1] [SAFE-5] who does not want to be disturbed by any device, and calls, is merged as others are", async () => {
  const two = await couple(async () => {});
  await put(two.bob, `/api/devices/${two.bobs.deviceId}`, { doNotDisturb: true });
  const his = await call(two.bobs, two.ada);
  await two.adas.next("incoming_call");
  const hers = await call(two.adas, two.bob);
  expect(await two.adas.next("call_merged")).toMatchObject({ callId: hers, into: his });
});
