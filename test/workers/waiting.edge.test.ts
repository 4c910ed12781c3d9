import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Edge } from "../support/edge.ts";
import { connect, initiate, scene } from "../support/scene.ts";

let edge: Edge;
beforeAll(async () => {
  edge = await Edge.start();
});
afterAll(() => edge.close());

/** Bob talks with Ada on his phone when Eve calls him; his tablet is idle. */
async function secondCall() {
  const people = await scene(edge);
  const first = await connect(people);
  const eve = await edge.person("Eve");
  const eves = await edge.device(eve);
  const { callId: second } = await initiate(eves, people.bob.userId);
  const waiting = await people.phone.next("call_waiting");
  expect(waiting).toMatchObject({ callId: second, caller: { userId: eve.userId, name: "Eve" }, sdp: "offer" });
  return { ...people, first, second, eves };
}

describe("a call for somebody who is in a call", () => {
  test("[WAIT-1] waits on the device in the call, and rings on the others", async () => {
    const { tablet, second, phone } = await secondCall();
    expect(await tablet.next("incoming_call", (m) => m.callId === second)).toMatchObject({ callId: second });
    expect(phone.heard.filter((m) => m.type === "incoming_call" && m.callId === second)).toEqual([]);
  });

  test("[WAIT-1] end and accept", async () => {
    const { phone, caller, eves, first, second } = await secondCall();
    await phone.ask({ type: "call_end", callId: first });
    expect(await caller.next("call_ended")).toMatchObject({ outcome: "completed" });
    await phone.ask({ type: "call_answer", callId: second, sdp: "answer" });
    expect(await eves.next("call_connected")).toMatchObject({ callId: second });
  });

  test("[WAIT-2] hold and accept, and back: the one who is held knows", async () => {
    const { phone, caller, eves, first, second, bob } = await secondCall();
    phone.send({ type: "call_hold", callId: first, on: true });
    expect(await caller.next("call_held")).toMatchObject({ callId: first, on: true, userId: bob.userId });
    await phone.ask({ type: "call_answer", callId: second, sdp: "answer" });
    await eves.next("call_connected");
    phone.send({ type: "call_hold", callId: second, on: true });
    expect(await eves.next("call_held")).toMatchObject({ callId: second, on: true });
    phone.send({ type: "call_hold", callId: first, on: false });
    expect(await caller.next("call_held")).toMatchObject({ callId: first, on: false });
  });

  test("[WAIT-1] decline: the first call is not touched", async () => {
    const { phone, tablet, caller, eves, first, second } = await secondCall();
    await phone.ask({ type: "call_decline", callId: second });
    expect(await eves.next("call_ended")).toMatchObject({ outcome: "declined" });
    expect(await tablet.next("call_cancelled", (m) => m.callId === second)).toMatchObject({
      reason: "declined_elsewhere",
    });
    expect(await caller.ask({ type: "call_sync", callId: first })).toMatchObject({ state: "connecting" });
  });

  test("[WAIT-1] a device that is dialling has a waiting call too, once it is known that it dials somebody else", async () => {
    const { bob, caller } = await scene(edge);
    const [dan, eve] = [await edge.person("Dan"), await edge.person("Eve")];
    const dans = await edge.device(dan);
    await initiate(dans, bob.userId);
    const eves = await edge.device(eve);
    const { callId } = await initiate(eves, dan.userId);
    expect(await dans.next("call_waiting")).toMatchObject({ callId });
    expect(caller.closed).toBeNull();
  });
});

describe("a group rings", () => {
  async function three() {
    const people = await scene(edge);
    const cid = await edge.person("Cid");
    const cids = await edge.device(cid);
    return { ...people, cid, cids };
  }

  function initiateGroup(calleeIds: string[]) {
    return { type: "call_initiate" as const, idempotencyKey: randomUUID(), calleeIds, callType: "group" as const };
  }

  test("[GROUP-1] [GROUP-2] [GROUP-4] everybody has a ring of their own, hears who comes and goes, and the last two end it", async () => {
    const { caller, phone, tablet, bob, cid, cids } = await three();
    const initiated = await caller.ask(initiateGroup([bob.userId, cid.userId]));
    const callId = "callId" in initiated ? (initiated.callId ?? "") : "";
    for (const device of [phone, tablet, cids]) await device.next("incoming_call");
    await phone.ask({ type: "call_answer", callId });
    expect(await caller.next("call_connected")).toMatchObject({ callId });
    expect(await caller.next("participant_joined")).toMatchObject({ userId: bob.userId, name: "Bob" });
    expect(await tablet.next("call_cancelled")).toMatchObject({ reason: "answered_elsewhere" });
    expect(await tablet.ask({ type: "call_answer", callId })).toMatchObject({
      type: "already_answered",
      answeredBy: { userId: bob.userId, deviceId: phone.deviceId },
    });
    await cids.ask({ type: "call_decline", callId });
    expect(await phone.next("participant_updated")).toMatchObject({ userId: cid.userId, state: "declined" });
    await cids.ask({ type: "call_answer", callId });
    expect(await phone.next("participant_joined")).toMatchObject({ userId: cid.userId });
    expect(await caller.ask({ type: "call_end", callId })).toMatchObject({ type: "call_ended", outcome: "completed" });
    expect(await cids.next("participant_left")).toMatchObject({ userId: caller.userId });
    await cids.ask({ type: "call_end", callId });
    expect(await phone.next("call_ended")).toMatchObject({ outcome: "completed" });
  });

  test("[GROUP-3] a call between two becomes a group call with the same id, and nobody is rung twice", async () => {
    const people = await three();
    const { caller, phone, cid, cids, bob } = people;
    const callId = await connect(people);
    const reply = await caller.ask({ type: "call_invite", callId, calleeIds: [cid.userId, bob.userId] });
    expect(reply).toMatchObject({ type: "call_state", callId, callType: "group" });
    expect(await cids.next("incoming_call")).toMatchObject({ callId, callType: "group" });
    expect(await phone.next("participant_updated")).toMatchObject({ userId: cid.userId, state: "invited" });
    await cids.ask({ type: "call_answer", callId });
    expect(await phone.next("participant_joined")).toMatchObject({ userId: cid.userId });
    expect(phone.heard.filter(({ type }) => type === "incoming_call")).toHaveLength(1);
    phone.send({ type: "call_negotiate", callId, sdp: "restart", sdpType: "offer" });
    expect(await caller.next("call_negotiate")).toMatchObject({ sdp: "restart" });
  });

  test("[GROUP-6] those whom nobody knows are named, and the others ring", async () => {
    const { caller, phone, bob } = await three();
    const stranger = randomUUID();
    const reply = await caller.ask(initiateGroup([bob.userId, stranger]));
    expect(reply).toMatchObject({ type: "call_initiated", unknownIds: [stranger] });
    await phone.next("incoming_call");
    expect(await caller.ask(initiateGroup([stranger]))).toMatchObject({ code: "callee_unknown" });
  });
});
