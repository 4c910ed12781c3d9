import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { CallSockets } from "../../../workers/call/call-sockets.ts";
import { MediaReports } from "../../../workers/call/media-reports.ts";
import { person, WorkerdDevice } from "../../support/workerd-device.ts";

/** Ada talks with Bob; her device has a call socket, his has not. */
async function talking() {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  const [caller, phone] = [new WorkerdDevice(ada), new WorkerdDevice(bob)];
  for (const device of [caller, phone]) await device.connect();
  caller.send({ type: "call_initiate", idempotencyKey: "1", calleeIds: [bob.userId], callType: "video", sdp: "offer" });
  const { callId } = await caller.next("call_initiated");
  await phone.next("incoming_call");
  await phone.ask({ type: "call_answer", callId, sdp: "answer" });
  const onCall = new WorkerdDevice(ada, caller.deviceId);
  await onCall.connect(`/calls/${callId}/ws`);
  return { callId, onCall, phone };
}

/** What a call knows of the media of a device. */
function known(callId: string, { person, deviceId }: WorkerdDevice) {
  return runInDurableObject(env.CALLS.getByName(callId), (_, state) =>
    new MediaReports(state.storage.kv, new CallSockets(state)).of({ userId: person.userId, deviceId }),
  );
}

const direct = { candidateType: "host", remoteCandidateType: "srflx", protocol: "udp", rttMs: 12 } as const;
const relayed = { candidateType: "relay", protocol: "udp", relayProtocol: "tls", rttMs: 40 } as const;

describe("[MEDIA-2] what a device has told of its media", () => {
  test("outlives an eviction, with a call socket and without, at the cost of a row for the latter alone", async () => {
    const { callId, onCall, phone } = await talking();
    const call = env.CALLS.getByName(callId);
    const rows = () => runInDurableObject(call, (_, { storage }) => [...storage.kv.list({ prefix: "media:" })].length);
    onCall.send({ type: "call_media", callId, state: "connected", ...direct, setup: { iceConnectedMs: 900 } });
    await onCall.settle();
    expect(await rows()).toBe(0);
    phone.send({ type: "call_media", callId, state: "connected", ...relayed });
    await phone.ask({ type: "call_sync", callId });
    expect(await rows()).toBe(1);
    await evictDurableObject(call, { webSockets: "hibernate" });
    expect(await known(callId, onCall)).toEqual({ ...direct, setup: { iceConnectedMs: 900 } });
    expect(await known(callId, phone)).toEqual({ ...relayed, setup: {} });
  });

  test("stays when its call socket goes, and is brought up to date on the next", async () => {
    const { callId, onCall } = await talking();
    onCall.send({ type: "call_media", callId, state: "connected", ...direct, setup: { iceConnectedMs: 900 } });
    await onCall.settle();
    await onCall.disconnect();
    await evictDurableObject(env.CALLS.getByName(callId), { webSockets: "close" });
    await onCall.connect(`/calls/${callId}/ws`);
    const setup = { iceConnectedMs: 5, firstFrameMs: 1_100 };
    onCall.send({ type: "call_media", callId, state: "connected", ...relayed, setup });
    await onCall.settle();
    expect(await known(callId, onCall)).toEqual({ ...relayed, setup: { iceConnectedMs: 900, firstFrameMs: 1_100 } });
  });

  test("is not taken of a device that is not in the call", async () => {
    const { callId, phone } = await talking();
    const tablet = new WorkerdDevice(phone.person);
    await tablet.connect();
    const told = await tablet.ask({ type: "call_media", callId, state: "connected", ...direct });
    expect(told).toMatchObject({ type: "error", code: "not_in_call" });
    expect(await known(callId, tablet)).toBeUndefined();
  });
});
