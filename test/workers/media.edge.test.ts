import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { IceCandidate } from "../../schema/client-messages.ts";
import { Device } from "../support/device.ts";
import { Edge } from "../support/edge.ts";
import { connect, ring, scene } from "../support/scene.ts";

let edge: Edge;
beforeAll(async () => {
  edge = await Edge.start();
});
afterAll(() => edge.close());

const candidate = (name: string): IceCandidate => ({ candidate: name, sdpMid: "0", sdpMLineIndex: 0 });

function gather(device: Device, callId: string, ...names: string[]): void {
  device.send({ type: "ice_candidate", callId, candidates: names.map(candidate) });
}

/** The names of the candidates that a device was given, in order, once it has as many. */
async function given(device: Device, count: number): Promise<string[]> {
  const names = () =>
    device.heard.flatMap((m) => (m.type === "ice_candidate" ? m.candidates.map((each) => each.candidate) : []));
  await device.until(() => (names().length >= count ? true : undefined), `${count} candidates`);
  await device.settle();
  return names();
}

describe.each([
  ["on the user socket alone", false],
  ["on call sockets", true],
])("candidates and descriptions %s", (_title, onCallSockets) => {
  async function play() {
    const people = await scene(edge);
    const callId = await ring(people);
    const { ada, bob, caller, phone } = people;
    const ends = onCallSockets
      ? { a: await edge.callSocket(ada, caller, callId), b: await edge.callSocket(bob, phone, callId) }
      : { a: caller, b: phone };
    return { ...people, ...ends, callId };
  }

  test("[ICE-1] [ICE-2] [ICE-3] what was gathered before the answer waits for the winner; nothing comes twice", async () => {
    const { a, b, callId, tablet } = await play();
    gather(a, callId, "a1", "a2");
    gather(a, callId, "a2", "a3");
    gather(b, callId, "b1");
    gather(tablet, callId, "t1");
    await b.ask({ type: "call_answer", callId, sdp: "answer" });
    expect(await given(b, 3)).toEqual(["a1", "a2", "a3"]);
    expect(await given(a, 1)).toEqual(["b1"]);
    gather(b, callId, "b1", "b2");
    expect(await given(a, 2)).toEqual(["b1", "b2"]);
    await tablet.settle();
    expect(tablet.story()).not.toContain("ice_candidate");
  });

  test("[ICE-2] what waits outlives an eviction of every object", async () => {
    const { a, b, callId, ada, bob } = await play();
    gather(a, callId, "a1", "a2");
    await a.ask({ type: "call_sync", callId });
    const worker = edge.harness.getWorker();
    await worker.evictDurableObject("CallObject", { name: callId, webSockets: "hibernate" });
    await worker.evictDurableObject("UserObject", { name: ada.userId, webSockets: "hibernate" });
    await worker.evictDurableObject("UserObject", { name: bob.userId, webSockets: "hibernate" });
    gather(a, callId, "a2", "a3");
    await b.ask({ type: "call_answer", callId, sdp: "answer" });
    expect(await given(b, 3)).toEqual(["a1", "a2", "a3"]);
  });

  test("[ICE-2] what waits outlives an eviction, also where it is too much to hibernate with a socket", async () => {
    const { a, b, callId } = await play();
    const names = Array.from({ length: 9 }, (_, i) => `${i}${"\u20ac".repeat(1_000)}`);
    for (const name of names) gather(a, callId, name);
    await a.ask({ type: "call_sync", callId });
    const worker = edge.harness.getWorker();
    await worker.evictDurableObject("CallObject", { name: callId, webSockets: "hibernate" });
    await b.ask({ type: "call_answer", callId, sdp: "answer" });
    expect(await given(b, 9)).toEqual(names);
  });

  test("[ICE-1] the end of candidates, a lone candidate and its sender are passed on", async () => {
    const { a, b, callId, ada, caller } = await play();
    await b.ask({ type: "call_answer", callId, sdp: "answer" });
    a.send({ type: "ice_candidate", callId, candidate: candidate("alone"), endOfCandidates: true });
    expect(await b.next("ice_candidate")).toMatchObject({
      candidates: [candidate("alone")],
      endOfCandidates: true,
      from: { userId: ada.userId, deviceId: caller.deviceId },
    });
  });

  test("[ICE-1] [ICE-3] a restart begins anew, what comes of the generation before is dropped, and some are taken back", async () => {
    const { a, b, callId } = await play();
    const of = (usernameFragment: string, ...names: string[]) =>
      names.map((name) => ({ ...candidate(name), usernameFragment }));
    a.send({ type: "ice_candidate", callId, candidates: of("old", "a1") });
    a.send({ type: "ice_candidate", callId, candidates: of("new", "a2", "a3") });
    a.send({ type: "ice_candidate", callId, candidates: of("old", "late"), removed: of("new", "a3") });
    await a.ask({ type: "call_sync", callId });
    await b.ask({ type: "call_answer", callId, sdp: "answer" });
    expect(await given(b, 1)).toEqual(["a2"]);
    a.send({ type: "ice_candidate", callId, removed: of("new", "a2") });
    const removal = () => b.heard.find((m) => m.type === "ice_candidate" && m.removed !== undefined);
    expect(await b.until(removal, "a removal")).toMatchObject({ candidates: [], removed: of("new", "a2") });
  });

  test("[ICE-3] [ICE-5] a candidate comes once, whatever connections it is said to be of while there is no handoff", async () => {
    const { a, b, callId } = await play();
    await b.ask({ type: "call_answer", callId, sdp: "answer" });
    for (const connectionId of ["first", "second", "third"]) {
      a.send({ type: "ice_candidate", callId, candidates: [candidate("a1")], connectionId });
    }
    a.send({ type: "ice_candidate", callId, candidates: [candidate("a2")], connectionId: "third" });
    expect(await given(b, 2)).toEqual(["a1", "a2"]);
    expect(b.heard.findLast((m) => m.type === "ice_candidate")).toMatchObject({ connectionId: "third" });
  });

  test("[CALL-20] descriptions go to the peer byte for byte", async () => {
    const { a, b, callId, bob, phone } = await play();
    await b.ask({ type: "call_answer", callId, sdp: "answer" });
    const sdp = "v=0\r\n \u2028 \ud83d\ude00 not parsed, only carried";
    b.send({ type: "call_negotiate", callId, sdp, sdpType: "offer", connectionId: "second" });
    expect(await a.next("call_negotiate")).toMatchObject({
      sdp,
      sdpType: "offer",
      connectionId: "second",
      from: { userId: bob.userId, deviceId: phone.deviceId },
    });
  });
});

describe("two sockets", () => {
  test("[CONN-4] replies and events go to the call socket while there is one, whichever a command came on", async () => {
    const people = await scene(edge);
    const callId = await ring(people);
    const callSocket = await edge.callSocket(people.bob, people.phone, callId);
    people.phone.send({ type: "call_answer", callId, sdp: "answer", id: "on the user socket" });
    expect(await callSocket.next("call_connected")).toMatchObject({ re: "on the user socket" });
    await callSocket.close();
    expect(await people.phone.ask({ type: "call_end", callId })).toMatchObject({ type: "call_ended" });
  });

  test("[CONN-2] a call socket says how the call stands when it registers, and takes nothing before", async () => {
    const people = await scene(edge);
    const callId = await connect(people);
    const { ada, caller } = people;
    const socket = await Device.open(`${edge.ws}/calls/${callId}/ws`, ada.token, ada.userId, caller.deviceId);
    expect(await socket.ask({ type: "call_end", callId })).toMatchObject({ type: "error", code: "forbidden" });
    const { calls } = await socket.register();
    expect(calls).toMatchObject([{ callId, state: "connecting", sdp: "answer" }]);
  });

  test("[CONN-3] the newest call socket of a device counts, the older one is closed", async () => {
    const people = await scene(edge);
    const callId = await connect(people);
    const older = await edge.callSocket(people.ada, people.caller, callId);
    const newer = await edge.callSocket(people.ada, people.caller, callId);
    expect(await older.untilClosed()).toMatchObject({ code: 4000 });
    people.phone.send({ type: "call_media", callId, state: "connected" });
    expect(await newer.next("call_state")).toMatchObject({ state: "connected" });
  });

  test("[CALL-16] media that recovers is seen on both ends", async () => {
    const people = await scene(edge);
    const callId = await connect(people);
    for (const state of ["connected", "recovering", "connected"] as const) {
      people.phone.send({ type: "call_media", callId, state });
      const seen = state === "recovering" ? "reconnecting" : "connected";
      expect(await people.caller.next("call_state")).toMatchObject({ state: seen });
      expect(await people.phone.next("call_state")).toMatchObject({ state: seen });
    }
  });
});
