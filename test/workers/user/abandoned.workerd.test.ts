import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { REDELIVER_MS } from "../../../schema/limits.ts";
import { CallObject } from "../../../workers/call/call-object.ts";
import type { User } from "../../../workers/user/state.ts";
import { person, WorkerdDevice } from "../../support/workerd-device.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const unreachable = async () => Promise.reject(new Error("the object does not answer"));

test("[CALL-3] what an initiation that failed half way has set ringing stops, however often that fails, also after an eviction", async () => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  const [caller, phone] = [new WorkerdDevice(ada), new WorkerdDevice(bob)];
  for (const device of [caller, phone]) await device.connect();
  const { create } = CallObject.prototype;
  vi.spyOn(CallObject.prototype, "create").mockImplementationOnce(async function (this: CallObject, input) {
    await create.call(this, input);
    return unreachable();
  });
  const abandon = vi.spyOn(CallObject.prototype, "abandon").mockImplementation(unreachable);
  const about = { idempotencyKey: "k", calleeIds: [bob.userId], callType: "audio" as const };
  const call = { type: "call_initiate" as const, ...about };
  expect(await caller.ask(call)).toMatchObject({ type: "error", code: "internal" });
  const { callId } = await phone.next("incoming_call");

  const user = env.USERS.getByName(ada.userId);
  for (const wait of [REDELIVER_MS, 2 * REDELIVER_MS]) {
    await evictDurableObject(user, { webSockets: "hibernate" });
    vi.setSystemTime(Date.now() + wait);
    expect(await runDurableObjectAlarm(user)).toBe(true);
  }
  expect(abandon).toHaveBeenCalledTimes(3);
  expect(phone.rings()).toBe(true);

  abandon.mockRestore();
  vi.setSystemTime(Date.now() + 4 * REDELIVER_MS);
  await runDurableObjectAlarm(user);
  expect(await phone.next("call_cancelled")).toMatchObject({ callId, reason: "caller_hung_up" });
  const left = await runInDurableObject(user, (_object, state) => state.storage.kv.get<User>("user")?.abandoned);
  expect(left).toEqual({});
  expect(await caller.ask(call)).toMatchObject({ type: "call_initiated", deduplicated: false });
});
