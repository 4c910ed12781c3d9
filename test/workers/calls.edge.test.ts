import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HistoryResponse } from "../../schema/http.ts";
import { Device } from "../support/device.ts";
import { Edge, type Person } from "../support/edge.ts";
import { connect, initiate, ring, scene } from "../support/scene.ts";

let edge: Edge;
beforeAll(async () => {
  edge = await Edge.start();
});
afterAll(() => edge.close());

async function history(person: Person): Promise<HistoryResponse["calls"]> {
  return HistoryResponse.parse(await (await edge.as(person, "/api/calls")).json()).calls;
}

describe("a call between two people", () => {
  test("[WIRE-2] [CALL-4] [CALL-5] [CALL-7] [CALL-8] [CALL-18] all devices ring, one answers, the others stop, both hear of the end", async () => {
    const people = await scene(edge);
    const { caller, phone, tablet, laptop, bob } = people;
    const callId = await ring(people);
    phone.send({ type: "call_alerting", callId });
    expect(await caller.next("call_ringing")).toMatchObject({ callId, userId: bob.userId, devices: 1 });
    phone.send({ type: "call_answer", callId, sdp: "answer", id: "1" });
    const winner = { answeredBy: { userId: bob.userId, deviceId: phone.deviceId } };
    expect(await phone.next("call_connected")).toMatchObject({ re: "1", ...winner });
    expect(await caller.next("call_connected")).toMatchObject({ sdp: "answer", ...winner });
    for (const other of [tablet, laptop]) {
      const cancelled = await other.next("call_cancelled");
      expect(cancelled).toMatchObject({ reason: "answered_elsewhere", byDevice: phone.deviceId });
    }
    phone.send({ type: "call_media", callId, state: "connected" });
    expect(await caller.next("call_state")).toMatchObject({ state: "connected" });
    const reply = await caller.ask({ type: "call_end", callId });
    expect(reply).toMatchObject({ type: "call_ended", outcome: "completed", reason: "hung_up" });
    expect(await phone.next("call_ended")).toMatchObject({ outcome: "completed" });
    await tablet.settle();
    const elsewhere = ["call_elsewhere", "call_elsewhere"];
    expect(tablet.story()).toEqual(["registered", "incoming_call", "call_cancelled:answered_elsewhere", ...elsewhere]);
  });

  test("[LEDGER-1] [HTTP-3] both find it in their history", async () => {
    const people = await scene(edge);
    const { ada, bob, caller, phone } = people;
    const callId = await connect(people);
    await caller.ask({ type: "call_end", callId });
    await expect.poll(async () => (await history(ada))[0]?.outcome).toBe("completed");
    const entry = { id: callId, answeredByDevice: phone.deviceId, outcome: "completed", callType: "video" };
    expect((await history(ada))[0]).toMatchObject({ ...entry, direction: "outgoing" });
    expect((await history(bob))[0]).toMatchObject({ ...entry, direction: "incoming" });
  });

  test("[CALL-7] [CALL-9] of devices that answer at the same moment one wins, and the others learn which", async () => {
    const people = await scene(edge);
    const { phone, tablet, laptop } = people;
    const callId = await ring(people);
    const devices = [phone, tablet, laptop];
    const replies = await Promise.all(devices.map((device) => device.ask({ type: "call_answer", callId, sdp: "me" })));
    const winner = devices[replies.findIndex(({ type }) => type === "call_connected")];
    expect(replies.map(({ type }) => type).sort()).toEqual(["already_answered", "already_answered", "call_connected"]);
    for (const reply of replies) expect(reply).toMatchObject({ answeredBy: { deviceId: winner?.deviceId } });
    expect(await people.caller.next("call_connected")).toMatchObject({ answeredBy: { deviceId: winner?.deviceId } });
  });

  test("[CALL-9] the winner's answer repeated gets the same reply", async () => {
    const people = await scene(edge);
    const callId = await ring(people);
    const first = await people.phone.ask({ type: "call_answer", callId, sdp: "answer" });
    const again = await people.phone.ask({ type: "call_answer", callId, sdp: "answer" });
    expect({ ...again, re: "" }).toEqual({ ...first, re: "" });
  });
});

describe("initiating", () => {
  test("[CALL-2] the same key is the same call, and nothing rings twice", async () => {
    const { caller, bob, phone } = await scene(edge);
    const key = randomUUID();
    const first = await initiate(caller, bob.userId, key);
    const again = await initiate(caller, bob.userId, key);
    expect(again).toMatchObject({ callId: first.callId, deduplicated: true });
    await phone.next("incoming_call");
    await phone.settle();
    expect(phone.story()).toEqual(["registered", "incoming_call"]);
  });

  test("[CALL-2] the same key sent twice at once is one call", async () => {
    const { caller, bob } = await scene(edge);
    const key = randomUUID();
    const asked = {
      type: "call_initiate" as const,
      idempotencyKey: key,
      calleeIds: [bob.userId],
      callType: "audio" as const,
    };
    const [one, two] = await Promise.all([caller.ask(asked), caller.ask(asked)]);
    expect(one).toMatchObject({ type: "call_initiated", deduplicated: false });
    expect(two).toMatchObject({
      type: "call_initiated",
      deduplicated: true,
      callId: "callId" in one ? one.callId : "",
    });
  });

  test("[CALL-2] the key with another callee is refused", async () => {
    const { caller, bob, ada } = await scene(edge);
    const key = randomUUID();
    await initiate(caller, bob.userId, key);
    const other = await edge.person("Eve");
    const calleeIds = [other.userId];
    const reply = await caller.ask({ type: "call_initiate", idempotencyKey: key, calleeIds, callType: "video" });
    expect(reply).toMatchObject({ type: "error", code: "bad_message" });
    expect(JSON.stringify(reply)).not.toContain(ada.userId);
  });

  test("[CALL-3] a callee whom nobody knows, and the key is free again", async () => {
    const { caller, bob } = await scene(edge);
    const idempotencyKey = randomUUID();
    const asked = {
      type: "call_initiate" as const,
      idempotencyKey,
      calleeIds: [randomUUID()],
      callType: "video" as const,
    };
    expect(await caller.ask(asked)).toMatchObject({ type: "error", code: "callee_unknown" });
    expect(await initiate(caller, bob.userId, idempotencyKey)).toMatchObject({ deduplicated: false });
  });

  test("nobody calls themselves, or two people at once but in a group", async () => {
    const { caller, ada, bob } = await scene(edge);
    const asked = (calleeIds: string[], callType: "video" | "group") =>
      caller.ask({ type: "call_initiate", idempotencyKey: randomUUID(), calleeIds, callType });
    expect(await asked([ada.userId], "video")).toMatchObject({ code: "bad_message" });
    expect(await asked([bob.userId, randomUUID()], "video")).toMatchObject({ code: "bad_message" });
    expect(await asked([bob.userId, bob.userId], "group")).toMatchObject({ type: "call_initiated" });
  });
});

describe("the order of what the caller hears", () => {
  test("[CALL-1] nothing about a call comes before its id, and nothing is missing after it", async () => {
    const people = await scene(edge);
    const { bob, caller, phone } = people;
    const answering = phone.next("incoming_call").then(({ callId }) => {
      phone.send({ type: "call_alerting", callId });
      phone.send({ type: "call_answer", callId, sdp: "at once" });
    });
    await initiate(caller, bob.userId);
    await answering;
    expect(await caller.next("call_connected")).toMatchObject({ sdp: "at once" });
    expect(caller.story().indexOf("call_initiated")).toBe(1);
  });

  test("[CALL-1] a call that was declined before its caller knew its id ends for the caller all the same", async () => {
    const { bob, caller, phone } = await scene(edge);
    const declining = phone.next("incoming_call").then(({ callId }) => phone.send({ type: "call_decline", callId }));
    await initiate(caller, bob.userId);
    await declining;
    expect(await caller.next("call_ended")).toMatchObject({ outcome: "declined" });
    await caller.settle();
    expect(caller.story().filter((type) => type.startsWith("call_ended"))).toHaveLength(1);
  });
});

describe("not answering", () => {
  test("[CALL-11] [CALL-10] a decline stops all devices, ends the call, and an answer after it hears the outcome", async () => {
    const people = await scene(edge);
    const { caller, phone, tablet, laptop } = people;
    const callId = await ring(people);
    expect(await phone.ask({ type: "call_decline", callId })).toMatchObject({ type: "call_declined", callId });
    expect(await caller.next("call_ended")).toMatchObject({ outcome: "declined", durationSeconds: 0 });
    for (const other of [tablet, laptop]) {
      const cancelled = await other.next("call_cancelled");
      expect(cancelled).toMatchObject({ reason: "declined_elsewhere", byDevice: phone.deviceId });
    }
    expect(await tablet.ask({ type: "call_answer", callId })).toMatchObject({
      type: "call_ended",
      outcome: "declined",
    });
  });

  test("[CALL-12] [CALL-21] busy devices make a busy callee, an ignoring one only goes silent", async () => {
    const people = await scene(edge);
    const { caller, phone, tablet, laptop } = people;
    const callId = await ring(people);
    await phone.ask({ type: "call_decline", callId, reason: "ignored" });
    await tablet.ask({ type: "call_decline", callId, reason: "busy" });
    expect(await caller.ask({ type: "call_sync", callId })).toMatchObject({ state: "ringing" });
    await laptop.ask({ type: "call_decline", callId, reason: "busy" });
    expect(await caller.next("call_ended")).toMatchObject({ outcome: "busy" });
  });

  test("[CALL-13] a late decline does nothing to a call that was answered elsewhere", async () => {
    const people = await scene(edge);
    const callId = await connect(people);
    expect(await people.tablet.ask({ type: "call_decline", callId })).toMatchObject({ type: "call_declined" });
    expect(await people.caller.ask({ type: "call_sync", callId })).toMatchObject({ state: "connecting" });
  });

  test("[CALL-15] a caller who hangs up stops every device", async () => {
    const people = await scene(edge);
    const { caller, phone, tablet, laptop } = people;
    const callId = await ring(people);
    expect(await caller.ask({ type: "call_end", callId })).toMatchObject({ type: "call_ended", outcome: "cancelled" });
    for (const device of [phone, tablet, laptop]) {
      expect(await device.next("call_cancelled")).toMatchObject({ reason: "caller_hung_up" });
    }
  });

  test("[CALL-6] a callee without a device is unreachable soon, and the caller never hears ringing", async () => {
    const ada = await edge.person("Ada");
    const bob = await edge.person("Bob");
    const caller = await edge.device(ada);
    const { callId, state } = await initiate(caller, bob.userId);
    expect(state).toBe("reaching");
    expect(await caller.next("call_ended")).toMatchObject({ callId, outcome: "unreachable" });
    expect(caller.story()).not.toContain("call_ringing");
  });

  test("[CALL-6] [CONN-5] a device that connects in time rings", async () => {
    const ada = await edge.person("Ada");
    const bob = await edge.person("Bob");
    const caller = await edge.device(ada);
    const { callId } = await initiate(caller, bob.userId);
    const phone = await edge.device(bob);
    expect(await phone.next("incoming_call")).toMatchObject({ callId, sdp: "offer" });
    expect(phone.story()).toEqual(["registered", "incoming_call"]);
    expect(await phone.ask({ type: "call_answer", callId, sdp: "late" })).toMatchObject({ type: "call_connected" });
  });
});

describe("who may do what", () => {
  test("[CALL-10] a stranger hears what an unknown call says", async () => {
    const people = await scene(edge);
    const callId = await ring(people);
    const eve = await edge.device(await edge.person("Eve"));
    for (const id of [callId, randomUUID()]) {
      expect(await eve.ask({ type: "call_answer", callId: id })).toMatchObject({ type: "call_not_found", callId: id });
      for (const type of ["call_end", "call_decline", "call_sync", "call_alerting"] as const) {
        expect(await eve.ask({ type, callId: id })).toMatchObject({ type: "error", code: "call_not_found" });
      }
    }
    await people.phone.settle();
    expect(people.phone.story()).toEqual(["registered", "incoming_call"]);
  });

  test("[CONN-1] a call socket is for those who have a part in the call", async () => {
    const people = await scene(edge);
    const callId = await ring(people);
    const eve = await edge.person("Eve");
    expect(await Device.refusal(`${edge.ws}/calls/${callId}/ws`, eve.token)).toBe(404);
  });

  test("[CALL-18] [CALL-20] a device that lost neither ends, negotiates nor gathers", async () => {
    const people = await scene(edge);
    const callId = await connect(people);
    const { tablet } = people;
    expect(await tablet.ask({ type: "call_end", callId })).toMatchObject({ code: "not_in_call" });
    const offer = { type: "call_negotiate" as const, callId, sdp: "x", sdpType: "offer" as const };
    expect(await tablet.ask(offer)).toMatchObject({ code: "not_in_call" });
    const candidate = { type: "ice_candidate" as const, callId, candidate: { candidate: "c" } };
    expect(await tablet.ask(candidate)).toMatchObject({ code: "not_in_call" });
  });
});
