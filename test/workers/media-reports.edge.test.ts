import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { CallEventsResponse } from "../../schema/http.ts";
import { Edge, type Person } from "../support/edge.ts";
import { PATIENCE } from "../support/patience.ts";
import { connect, scene } from "../support/scene.ts";

let edge: Edge;
beforeAll(async () => {
  edge = await Edge.start();
});
afterAll(() => edge.close());

/** What is kept of the media of somebody's devices, once the ledger has heard of the call's end. */
async function mediaOf(who: Person, callId: string) {
  const ended = async () => {
    const answer = await edge.as(who, `/api/calls/${callId}/events`);
    if (answer.status !== 200) return null;
    const log = CallEventsResponse.parse(await answer.json());
    return log.events.at(-1)?.kind === "ended" ? log : null;
  };
  return (await vi.waitUntil(ended, PATIENCE)).media;
}

const setup = { alertingMs: 120, answeredMs: 2_000, iceConnectedMs: 2_300, firstFrameMs: 2_450 };
const direct = { candidateType: "host", remoteCandidateType: "srflx", protocol: "udp", rttMs: 12 } as const;
const relayed = { candidateType: "relay", protocol: "udp", relayProtocol: "tls", rttMs: 40 } as const;

describe("[MEDIA-1] [MEDIA-2] how the media of a call travelled", () => {
  test("is kept with the call, for each user that of their own devices", async () => {
    const people = await scene(edge);
    const { ada, bob, caller, phone } = people;
    const callId = await connect(people);
    const onCall = await edge.callSocket(ada, caller, callId);
    onCall.send({
      type: "call_media",
      callId,
      state: "connected",
      ...direct,
      setup: { ...setup, firstFrameMs: undefined },
    });
    await phone.next("call_state");
    onCall.send({ type: "call_media", callId, state: "connected", ...direct, setup });
    phone.send({ type: "call_media", callId, state: "connected", ...relayed });
    await phone.ask({ type: "call_sync", callId });
    await onCall.ask({ type: "call_end", callId });
    expect(await mediaOf(ada, callId)).toMatchObject([{ deviceId: caller.deviceId, ...direct, setup }]);
    expect(await mediaOf(bob, callId)).toMatchObject([{ deviceId: phone.deviceId, ...relayed, setup: {} }]);
    expect(JSON.stringify(phone.heard)).not.toContain("srflx");
  });

  test("is told of both devices of a handoff, and of a path that changed the last one", async () => {
    const people = await scene(edge);
    const { bob, caller, phone, tablet } = people;
    const callId = await connect(people);
    for (const path of [direct, relayed])
      phone.send({ type: "call_media", callId, state: "connected", ...path, setup });
    await phone.ask({ type: "call_sync", callId });
    await tablet.ask({ type: "call_handoff", callId, sdp: "offer", connectionId: "second" });
    tablet.send({ type: "call_media", callId, state: "connected", ...direct });
    await tablet.next("call_handed_off");
    await caller.ask({ type: "call_end", callId });
    expect(await mediaOf(bob, callId)).toMatchObject([
      { deviceId: phone.deviceId, ...relayed, setup },
      { deviceId: tablet.deviceId, ...direct },
    ]);
  });
});
