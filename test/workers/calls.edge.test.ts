import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HistoryResponse } from "../../schema/http.ts";
import type { Device } from "../support/device.ts";
import { Edge, type Person } from "../support/edge.ts";

let edge: Edge;
beforeAll(async () => {
  edge = await Edge.start();
});
afterAll(() => edge.close());

interface Scene {
  ada: Person;
  bob: Person;
  caller: Device;
  phone: Device;
  tablet: Device;
  laptop: Device;
}

async function scene(): Promise<Scene> {
  const [ada, bob] = await Promise.all([edge.person("Ada"), edge.person("Bob")]);
  const [caller, phone, tablet, laptop] = await Promise.all([
    edge.device(ada),
    edge.device(bob),
    edge.device(bob),
    edge.device(bob),
  ]);
  return { ada, bob, caller, phone, tablet, laptop };
}

async function call({ bob, caller, phone, tablet, laptop }: Scene): Promise<string> {
  caller.send({
    type: "call_initiate",
    idempotencyKey: randomUUID(),
    calleeIds: [bob.userId],
    callType: "video",
    sdp: "offer",
  });
  const { callId } = await caller.next("call_initiated");
  await Promise.all([phone, tablet, laptop].map((device) => device.next("incoming_call", (m) => m.callId === callId)));
  return callId;
}

describe("a call between two people", () => {
  test("[CALL-4] [CALL-5] [CALL-7] [CALL-8] [CALL-18] all devices ring, one answers, the others stop, both hear of the end", async () => {
    const people = await scene();
    const { caller, phone, tablet, laptop, bob } = people;
    const callId = await call(people);
    phone.send({ type: "call_alerting", callId });
    expect(await caller.next("call_ringing")).toMatchObject({ callId, userId: bob.userId, devices: 1 });
    phone.send({ type: "call_answer", callId, sdp: "answer", id: "1" });
    expect(await phone.next("call_connected")).toMatchObject({ re: "1", answeredBy: { deviceId: phone.deviceId } });
    expect(await caller.next("call_connected")).toMatchObject({
      sdp: "answer",
      answeredBy: { deviceId: phone.deviceId },
    });
    for (const other of [tablet, laptop]) {
      expect(await other.next("call_cancelled")).toMatchObject({
        reason: "answered_elsewhere",
        byDevice: phone.deviceId,
      });
    }
    phone.send({ type: "call_media", callId, state: "connected" });
    expect(await caller.next("call_state")).toMatchObject({ state: "connected" });
    const reply = await caller.ask({ type: "call_end", callId });
    expect(reply).toMatchObject({ type: "call_ended", outcome: "completed", reason: "hung_up" });
    expect(await phone.next("call_ended")).toMatchObject({ outcome: "completed" });
    await tablet.settle();
    expect(tablet.story()).toEqual(["registered", "incoming_call", "call_cancelled:answered_elsewhere"]);
  });

  test("[LEDGER-1] [HTTP-3] both find it in their history", async () => {
    const people = await scene();
    const { ada, bob, caller, phone } = people;
    const callId = await call(people);
    phone.send({ type: "call_answer", callId, sdp: "answer" });
    await caller.next("call_connected");
    await caller.ask({ type: "call_end", callId });
    const history = async (person: Person) => HistoryResponse.parse(await (await edge.as(person, "/api/calls")).json());
    await expect.poll(async () => (await history(ada)).calls[0]?.outcome, { timeout: 8_000 }).toBe("completed");
    expect((await history(ada)).calls[0]).toMatchObject({
      id: callId,
      direction: "outgoing",
      answeredByDevice: phone.deviceId,
    });
    expect((await history(bob)).calls[0]).toMatchObject({ id: callId, direction: "incoming" });
  });
});
