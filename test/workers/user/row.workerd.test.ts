import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { MAX_RINGING, MAX_SDP, RING_MS } from "../../../schema/limits.ts";
import { viewFor } from "../../../workers/call/view.ts";
import { MAX_STALE } from "../../../workers/user/stale.ts";
import type { User } from "../../../workers/user/state.ts";
import { type Person, person, WorkerdDevice } from "../../support/workerd-device.ts";
import { BOB, script } from "../call/call-script.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** As large as it may be, and of characters that take two bytes each. */
const SDP = "…".repeat(MAX_SDP);

async function initiate(caller: WorkerdDevice, { userId }: Person, sdp: string): Promise<string> {
  const about = { idempotencyKey: crypto.randomUUID(), calleeIds: [userId], callType: "audio" as const };
  await caller.ask({ type: "call_initiate", ...about, sdp });
  return (await caller.next("call_initiated")).callId;
}

async function callsInRow({ userId }: Person): Promise<string[]> {
  const row = await runInDurableObject(env.USERS.getByName(userId), (_object, state) => {
    return state.storage.kv.get<User>("user");
  });
  return Object.keys(row?.calls ?? {});
}

test("[CALL-4] [CONN-5] twenty calls at once with the largest offers ring, and a device that comes late hears them whole", async () => {
  const bob = await person("Bob");
  const phone = new WorkerdDevice(bob);
  await phone.connect();
  const ids: string[] = [];
  for (let i = 0; i < 20; i++) {
    const caller = new WorkerdDevice(await person(`Caller ${i}`));
    await caller.connect();
    ids.push(await initiate(caller, bob, SDP));
    await phone.next("incoming_call", ({ sdp }) => sdp === SDP);
  }
  await evictDurableObject(env.USERS.getByName(bob.userId), { webSockets: "hibernate" });
  const tablet = new WorkerdDevice(bob);
  expect((await tablet.connect()).calls.map(({ callId }) => callId).sort()).toEqual([...ids].sort());
  for (const id of ids) await tablet.next("incoming_call", ({ callId, sdp }) => callId === id && sdp === SDP);
});

test("[SAFE-7] beyond as many calls as anybody can choose from, the next ones say nothing", async () => {
  const bob = await person("Bob");
  const user = env.USERS.getByName(bob.userId);
  const view = viewFor(script().call, BOB, []);
  if (!view) throw new Error("Bob has a part in the script");
  const ring = async (ringUntil: number) => {
    const callId = crypto.randomUUID();
    return (await user.callChanged({ ...view, userId: bob.userId, callId, ringUntil })).silence;
  };
  const now = Date.now();
  for (let i = 0; i < MAX_RINGING; i++) expect(await ring(now + RING_MS)).toBe("none");
  expect(await ring(now + RING_MS)).toBe("silent");
  expect(await callsInRow(bob)).toHaveLength(MAX_RINGING);
  vi.setSystemTime(now + RING_MS);
  expect(await ring(now + 2 * RING_MS)).toBe("none");
});

test("the row of somebody who is never here does not grow with each call that they miss", async () => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  const caller = new WorkerdDevice(ada);
  await caller.connect();
  const user = env.USERS.getByName(bob.userId);
  for (let i = 0; i <= MAX_STALE; i++) {
    const callId = await initiate(caller, bob, "offer");
    await caller.ask({ type: "call_end", callId });
    await evictDurableObject(user);
    vi.setSystemTime(Date.now() + RING_MS);
  }
  await initiate(caller, bob, "offer");
  expect((await callsInRow(bob)).length).toBeLessThan(MAX_STALE);
});
