import { afterEach, beforeEach, describe, expect, type MockInstance, test, vi } from "vitest";
import { parseJson } from "../../../schema/json.ts";
import { person, WorkerdDevice } from "../../support/workerd-device.ts";

let lines: MockInstance<typeof console.log>;
beforeEach(() => {
  lines = vi.spyOn(console, "log").mockImplementation(() => {});
});
afterEach(() => lines.mockRestore());

/** What the log says of calls, in order. */
function aboutCalls(): unknown[] {
  const parsed = lines.mock.calls.map(([line]) => parseJson(String(line)));
  return parsed.filter((line) => /^\{"event":"call_/.test(JSON.stringify(line)));
}

async function pair() {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  const [caller, phone, tablet] = [new WorkerdDevice(ada), new WorkerdDevice(bob), new WorkerdDevice(bob)];
  for (const device of [caller, phone, tablet]) await device.connect();
  return { caller, phone, tablet, bob };
}

const initiate = (userId: string) => ({
  type: "call_initiate" as const,
  idempotencyKey: "1",
  calleeIds: [userId],
  callType: "video" as const,
});

describe("what the log says of a call", () => {
  test("one line for each step of its life, whoever else alerts, declines late or asks", async () => {
    const { caller, phone, tablet, bob } = await pair();
    caller.send(initiate(bob.userId));
    const { callId } = await caller.next("call_initiated");
    for (const device of [phone, tablet]) {
      device.send({ type: "call_alerting", callId });
      await device.ask({ type: "call_sync", callId });
    }
    await phone.ask({ type: "call_answer", callId });
    await tablet.ask({ type: "call_decline", callId });
    for (const state of ["connected", "connected", "recovering", "connected"] as const) {
      phone.send({ type: "call_media", callId, state });
    }
    await phone.ask({ type: "call_end", callId });
    await caller.next("call_ended");
    const call = callId.slice(-8);
    const phases = ["ringing", "connecting", "connected", "reconnecting", "connected"];
    expect(aboutCalls()).toEqual([
      { event: "call_created", call, type: "video" },
      ...phases.map((phase) => ({ event: "call_phase", call, phase })),
      { event: "call_phase", call, phase: "ended", outcome: "completed", reason: "hung_up" },
    ]);
  });

  test("nothing of one that was refused: there is no such call", async () => {
    const { caller } = await pair();
    expect(await caller.ask(initiate(crypto.randomUUID()))).toMatchObject({ code: "callee_unknown" });
    expect(aboutCalls()).toEqual([]);
  });
});
