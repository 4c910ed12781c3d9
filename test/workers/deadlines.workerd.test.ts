import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { BACKSTOP_MS, CONNECT_MS, PRESENCE_MS, PRESENCE_SWEEP_MS, RING_MS } from "../../schema/limits.ts";
import { person, WorkerdDevice } from "../support/workerd-device.ts";

/** Objects read the clock of the isolate, which these tests set; alarms are fired as the platform would. */
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterEach(() => {
  vi.useRealTimers();
});

async function ringing() {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  const [caller, phone] = [new WorkerdDevice(ada), new WorkerdDevice(bob)];
  await caller.connect();
  await phone.connect();
  const asked = { idempotencyKey: "1", calleeIds: [bob.userId], callType: "video" as const, sdp: "offer" };
  caller.send({ type: "call_initiate", ...asked });
  const { callId } = await caller.next("call_initiated");
  await phone.next("incoming_call");
  return { caller, phone, callId };
}

async function answered() {
  const played = await ringing();
  await played.phone.ask({ type: "call_answer", callId: played.callId, sdp: "answer" });
  return played;
}

/** Lets time pass and fires the alarm; @returns whether one was armed */
async function pass(ms: number, callId: string): Promise<boolean> {
  vi.setSystemTime(Date.now() + ms);
  return runDurableObjectAlarm(env.CALLS.getByName(callId));
}

describe("deadlines that alarms keep", () => {
  test("[CALL-14] a call rings for 30 s, also when an alarm looked in between, and is missed", async () => {
    const { caller, phone, callId } = await ringing();
    expect(await pass(CONNECT_MS, callId)).toBe(true);
    expect(await caller.ask({ type: "call_sync", callId })).toMatchObject({ state: "reaching" });
    expect(await pass(RING_MS - CONNECT_MS, callId)).toBe(true);
    expect(await caller.next("call_ended")).toMatchObject({ outcome: "missed", reason: "timed_out" });
    expect(await phone.next("call_cancelled")).toMatchObject({ reason: "timed_out" });
  });

  test("[CALL-17] an answered call without media fails after 15 s", async () => {
    const { caller, phone, callId } = await answered();
    expect(await pass(CONNECT_MS, callId)).toBe(true);
    expect(await caller.next("call_ended")).toMatchObject({ outcome: "failed", reason: "media_timeout" });
    expect(await phone.next("call_ended")).toMatchObject({ outcome: "failed" });
  });

  test("[CALL-19] a connected call lives on while its sockets do, and ends without a sign of life", async () => {
    const { caller, phone, callId } = await answered();
    phone.send({ type: "call_media", callId, state: "connected" });
    await caller.next("call_state");
    const start = Date.now();
    expect(await pass(CONNECT_MS, callId)).toBe(true);
    expect(await caller.ask({ type: "call_sync", callId })).toMatchObject({ state: "connected" });
    expect(await pass(BACKSTOP_MS, callId)).toBe(true);
    const ended = await caller.next("call_ended");
    expect(ended).toMatchObject({ outcome: "completed", reason: "inactive" });
    expect(ended.durationSeconds).toBeLessThan((Date.now() - start) / 1000 - BACKSTOP_MS / 2000);
  });

  test("[CALL-10] the outcome is known for 24 h and then forgotten", async () => {
    const { caller, phone, callId } = await ringing();
    await caller.ask({ type: "call_end", callId });
    await env.CALLS.getByName(callId).ledgerConfirmed(2);
    vi.setSystemTime(Date.now() + 23 * 3_600_000);
    expect(await phone.ask({ type: "call_answer", callId })).toMatchObject({
      type: "call_ended",
      outcome: "cancelled",
    });
    expect(await pass(3_600_000, callId)).toBe(true);
    expect(await phone.ask({ type: "call_answer", callId })).toMatchObject({ type: "call_not_found" });
  });

  test("[LEDGER-2] an end that the ledger has not confirmed is told again, and kept", async () => {
    const { caller, callId } = await ringing();
    await caller.ask({ type: "call_end", callId });
    const sent = vi.spyOn(env.LEDGER, "send");
    expect(await pass(48 * 3_600_000, callId)).toBe(true);
    expect(sent).toHaveBeenCalledWith(expect.objectContaining({ callId, outcome: "cancelled" }));
    expect(await caller.ask({ type: "call_answer", callId })).toMatchObject({ code: "forbidden" });
  });

  test("[PRES-1] [PRES-3] a watched device that fell silent for a minute is swept away, as of its last sign of life", async () => {
    const [ada, bob] = [await person("Ada"), await person("Bob")];
    const [watcher, phone] = [new WorkerdDevice(ada), new WorkerdDevice(bob)];
    await watcher.connect();
    await phone.connect();
    const lastSeen = new Date().toISOString();
    watcher.send({ type: "presence_watch", userIds: [bob.userId] });
    expect(await watcher.next("presence")).toMatchObject({ status: "online" });
    const sweep = async (ms: number) => {
      vi.setSystemTime(Date.now() + ms);
      return runDurableObjectAlarm(env.USERS.getByName(bob.userId));
    };
    expect(await sweep(PRESENCE_MS - 1)).toBe(true);
    await watcher.settle();
    expect(watcher.story().filter((type) => type === "presence")).toHaveLength(1);
    expect(await sweep(PRESENCE_SWEEP_MS)).toBe(true);
    const gone = await watcher.next("presence");
    expect(gone.status).toBe("offline");
    expect(Date.parse(gone.lastSeen ?? "") - Date.parse(lastSeen)).toBeLessThan(1_000);
  });
});
