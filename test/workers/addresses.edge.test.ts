import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { IceCandidate } from "../../schema/client-messages.ts";
import type { Device } from "../support/device.ts";
import type { Person } from "../support/edge.ts";
import { PushScene } from "../support/push-scene.ts";
import { connect, scene as fourDevices } from "../support/scene.ts";
import { UntrickledPeer } from "../support/untrickled-peer.ts";

let pushes: PushScene;
beforeAll(async () => {
  pushes = await PushScene.start();
});
afterAll(() => pushes.close());

const peers: UntrickledPeer[] = [];
afterEach(() => {
  for (const peer of peers.splice(0)) peer.close();
});

/** An app that knows nothing of trickling. */
function peer(name: string): UntrickledPeer {
  const made = new UntrickledPeer(name);
  peers.push(made);
  return made;
}

const ADDRESS = /\b\d{1,3}(?:\.\d{1,3}){3}\b/g;
/** What an SDP says where it says none. */
const NOWHERE = new Set(["0.0.0.0", "127.0.0.1"]);

function addressesIn(text: string): string[] {
  return [...new Set(text.match(ADDRESS))].filter((address) => !NOWHERE.has(address));
}

function bytesOf(...devices: readonly Device[]): string {
  return devices.flatMap(({ frames }) => frames).join("\n");
}

/** Fails unless the offer is in what was said, and no address is. */
function expectNoAddress(said: string, offer: string): void {
  const [fingerprint] = /a=fingerprint:[^\r\n]+/.exec(offer) ?? [];
  expect(fingerprint).toBeDefined();
  expect(said).toContain(fingerprint);
  expect(said).not.toContain("candidate:");
  expect(addressesIn(said)).toEqual([]);
}

/** An offer with candidates, as each test needs it. */
async function offerOf(made: UntrickledPeer): Promise<string> {
  const offer = await made.offer();
  expect(offer).toContain("a=candidate:");
  expect(addressesIn(offer)).not.toEqual([]);
  return offer;
}

async function initiate(caller: Device, callee: Person, sdp: string): Promise<string> {
  const call = { idempotencyKey: randomUUID(), calleeIds: [callee.userId], callType: "video" as const, sdp };
  caller.send({ type: "call_initiate", ...call });
  return (await caller.next("call_initiated")).callId;
}

const early = (address: string): IceCandidate => ({
  candidate: `candidate:9 1 udp 1 ${address} 5000 typ host`,
  sdpMid: "0",
  sdpMLineIndex: 0,
});

/** All that a person can read of a call. */
async function read(person: Person, callId: string): Promise<string> {
  const paths = [`/api/calls/${callId}`, `/api/calls/${callId}/events`, "/api/calls", "/api/devices", "/api/contacts"];
  const answers = await Promise.all(paths.map((path) => pushes.edge.as(person, path)));
  return (await Promise.all(answers.map((answer) => answer.text()))).join("\n");
}

describe("[ICE-6] until somebody has accepted", () => {
  test("nothing that is said to anybody's devices has an address in it; then media connects", async () => {
    const { edge } = pushes;
    const { ada, bob, caller, phone, tablet, laptop } = await fourDevices(edge);
    const second = await edge.device(ada);
    const token = randomUUID();
    await pushes.offline(bob, { provider: "fcm", token });
    const [adas, bobs] = [peer("ada"), peer("bob")];
    const offer = await offerOf(adas);

    const callId = await initiate(caller, bob, offer);
    const rings = await Promise.all([phone, tablet, laptop].map((device) => device.next("incoming_call")));
    const late = await edge.device(bob);
    await late.next("incoming_call");
    const onCall = await edge.callSocket(bob, phone, callId);
    caller.send({ type: "ice_candidate", callId, candidates: [early("198.51.100.1")] });
    onCall.send({ type: "ice_candidate", callId, candidates: [early("198.51.100.2")] });
    tablet.send({ type: "ice_candidate", callId, candidates: [early("198.51.100.3")] });
    await onCall.ask({ type: "call_negotiate", callId, sdp: offer, sdpType: "offer" });
    await caller.ask({ type: "call_negotiate", callId, sdp: offer, sdpType: "offer" });
    phone.send({ type: "call_alerting", callId });
    await caller.next("call_ringing");
    const devices = [caller, second, onCall, tablet, laptop, late];
    await Promise.all(devices.map((device) => device.ask({ type: "call_sync", callId })));
    const push = await pushes.fcm.next((sent) => sent.token === token);
    const posted = { method: "POST", body: JSON.stringify({ deviceId: laptop.deviceId }) };
    const alerted = await (await edge.as(bob, `/api/calls/${callId}/alerting`, posted)).text();
    const overHttp = await Promise.all([read(ada, callId), read(bob, callId)]);

    expectNoAddress([bytesOf(phone, ...devices), JSON.stringify(push), alerted, ...overHttp].join("\n"), offer);

    const answer = await bobs.answer(rings[0]?.sdp ?? "");
    onCall.send({ type: "call_answer", callId, sdp: answer });
    const connected = await caller.next("call_connected");
    adas.takeAnswer(connected.sdp ?? "");
    const given = await onCall.next("ice_candidate");
    for (const candidate of given.candidates) bobs.add(candidate);
    await Promise.all([adas.connected(), bobs.connected()]);
    expect(given.candidates.map(({ candidate }) => candidate)).toContain(early("198.51.100.1").candidate);

    await Promise.all([tablet, laptop, late].map((device) => device.next("call_cancelled")));
    expectNoAddress(bytesOf(tablet, laptop, late), offer);
    await Promise.all([caller.settle(), second.settle()]);
    expect(bytesOf(caller, second)).not.toContain("198.51.100.3");
  });

  test("a call that waits beside another one says no address either", async () => {
    const people = await fourDevices(pushes.edge);
    await connect(people);
    const eve = await pushes.edge.person("Eve");
    const offer = await offerOf(peer("eve"));
    const callId = await initiate(await pushes.edge.device(eve), people.bob, offer);
    await people.phone.next("call_waiting", (waiting) => waiting.callId === callId);
    const { phone, tablet, laptop } = people;
    await Promise.all([phone, tablet, laptop].map((device) => device.ask({ type: "call_sync", callId })));
    expectNoAddress(bytesOf(phone, tablet, laptop), offer);
  });

  test("both call each other: the offer that is merged into has none, and its candidates come with the answer", async () => {
    const [ada, bob] = await Promise.all([pushes.edge.person("Ada"), pushes.edge.person("Bob")]);
    const [adas, bobs] = await Promise.all([pushes.edge.device(ada), pushes.edge.device(bob)]);
    const [offer, other] = [await offerOf(peer("ada")), await offerOf(peer("bob"))];
    const ids = await Promise.all([initiate(adas, bob, offer), initiate(bobs, ada, other)]);
    const { into, callId } = await Promise.any([adas.next("call_merged"), bobs.next("call_merged")]);
    const [loser, survivor, survivorsOffer] = callId === ids[0] ? [adas, bobs, other] : [bobs, adas, offer];
    await Promise.all([adas.settle(), bobs.settle()]);
    expectNoAddress(bytesOf(adas, bobs), survivorsOffer);

    loser.send({ type: "call_answer", callId: into, sdp: "answer" });
    await survivor.next("call_connected");
    const { candidates } = await loser.next("ice_candidate");
    expect(candidates.map(({ candidate }) => `a=${candidate}`).every((line) => survivorsOffer.includes(line))).toBe(
      true,
    );
    expect(candidates.length).toBeGreaterThan(0);
  });
});
