import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Edge } from "../support/edge.ts";
import { connect, scene } from "../support/scene.ts";

let edge: Edge;
beforeAll(async () => {
  edge = await Edge.start();
});
afterAll(() => edge.close());

/** Ada and Bob talk, she on her call socket; Bob's tablet and laptop are idle. */
async function talking() {
  const people = await scene(edge);
  const callId = await connect(people);
  people.phone.send({ type: "call_media", callId, state: "connected" });
  await people.caller.next("call_state");
  const adas = await edge.callSocket(people.ada, people.caller, callId);
  return { ...people, adas, callId };
}

describe("handoff to another device", () => {
  test("[HAND-1] [HAND-2] [HAND-3] the new device offers a second connection, and the call moves when its media flows", async () => {
    const { adas, phone, tablet, laptop, callId, bob } = await talking();
    expect(await tablet.next("call_elsewhere")).toMatchObject({ callId, deviceId: phone.deviceId });
    const reply = await tablet.ask({ type: "call_handoff", callId, sdp: "second offer" });
    expect(reply).toMatchObject({ type: "call_handoff_ready", callId, deviceId: tablet.deviceId });
    const offer = await adas.next("call_negotiate");
    const from = { userId: bob.userId, deviceId: tablet.deviceId };
    expect(offer).toMatchObject({ sdp: "second offer", sdpType: "offer", handoff: true, from });
    const { connectionId } = offer;
    adas.send({ type: "call_negotiate", callId, sdp: "second answer", sdpType: "answer" });
    expect(await tablet.next("call_negotiate")).toMatchObject({ sdp: "second answer", sdpType: "answer" });
    tablet.send({ type: "ice_candidate", callId, candidates: [{ candidate: "of the tablet" }] });
    expect(await adas.next("ice_candidate")).toMatchObject({ connectionId, from });
    adas.send({ type: "ice_candidate", callId, candidates: [{ candidate: "for the tablet" }], connectionId });
    adas.send({ type: "ice_candidate", callId, candidates: [{ candidate: "for the phone" }] });
    expect(await tablet.next("ice_candidate")).toMatchObject({ candidates: [{ candidate: "for the tablet" }] });
    expect(await phone.next("ice_candidate")).toMatchObject({ candidates: [{ candidate: "for the phone" }] });
    tablet.send({ type: "call_media", callId, state: "connected" });
    for (const device of [adas, phone, tablet, laptop]) {
      expect(await device.next("call_handed_off")).toMatchObject({ userId: bob.userId, deviceId: tablet.deviceId });
    }
    expect(await phone.ask({ type: "call_end", callId })).toMatchObject({ code: "not_in_call" });
    expect(await tablet.ask({ type: "call_end", callId })).toMatchObject({ outcome: "completed" });
    expect(await adas.next("call_ended")).toMatchObject({ outcome: "completed" });
  });

  test("[HAND-4] the new device's media fails: everybody involved is told, and the call stays", async () => {
    const { adas, phone, tablet, callId } = await talking();
    await tablet.ask({ type: "call_handoff", callId, sdp: "second offer", connectionId: "mine" });
    expect(await adas.next("call_negotiate")).toMatchObject({ connectionId: "mine" });
    tablet.send({ type: "call_media", callId, state: "failed" });
    for (const device of [adas, phone, tablet]) {
      expect(await device.next("call_handoff_failed")).toMatchObject({ deviceId: tablet.deviceId });
    }
    phone.send({ type: "call_negotiate", callId, sdp: "restart", sdpType: "offer" });
    expect(await adas.next("call_negotiate")).toMatchObject({ sdp: "restart" });
  });

  test("[HAND-5] hang-up wins over handoff", async () => {
    const { adas, phone, tablet, callId } = await talking();
    await tablet.ask({ type: "call_handoff", callId, sdp: "second offer" });
    await adas.ask({ type: "call_end", callId });
    for (const device of [phone, tablet]) {
      expect(await device.next("call_ended")).toMatchObject({ outcome: "completed" });
    }
    expect(await tablet.ask({ type: "call_handoff", callId, sdp: "again" })).toMatchObject({ type: "call_ended" });
  });

  test("[HAND-7] the device in the call asks an idle one, which then takes over by itself", async () => {
    const { phone, tablet, callId } = await talking();
    const reply = await phone.ask({ type: "call_handoff", callId, toDeviceId: tablet.deviceId });
    expect(reply).toMatchObject({ type: "call_handoff_ready", deviceId: tablet.deviceId });
    const wanted = await tablet.next("call_elsewhere", (message) => message.wanted === true);
    expect(wanted).toMatchObject({ callId, deviceId: phone.deviceId });
  });

  test("[HAND-2] an idle device that comes later learns of the call by its snapshot, and of its end", async () => {
    const { bob, phone, callId } = await talking();
    const watch = await edge.device(bob);
    const { calls } = await watch.until(() => watch.heard.find((m) => m.type === "registered"), "registered");
    const me = calls[0]?.participants.find(({ userId }) => userId === bob.userId);
    expect(me).toMatchObject({ state: "joined", deviceId: phone.deviceId });
    await phone.ask({ type: "call_end", callId });
    expect(await watch.next("call_elsewhere")).toMatchObject({ state: "ended" });
  });
});
