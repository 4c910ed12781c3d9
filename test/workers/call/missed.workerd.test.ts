import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { CANDIDATE_KEPT_MS } from "../../../schema/limits.ts";
import { type Person, person, WorkerdDevice } from "../../support/workerd-device.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterEach(() => {
  vi.useRealTimers();
});

interface Talk {
  readonly callId: string;
  readonly ada: Person;
  readonly bob: Person;
  readonly caller: WorkerdDevice;
  readonly phone: WorkerdDevice;
}

/** Bob has answered on his phone. */
async function answered(): Promise<Talk> {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  const [caller, phone] = [new WorkerdDevice(ada), new WorkerdDevice(bob)];
  for (const device of [caller, phone]) await device.connect();
  caller.send({ type: "call_initiate", idempotencyKey: "1", calleeIds: [bob.userId], callType: "video", sdp: "offer" });
  const { callId } = await caller.next("call_initiated");
  await phone.next("incoming_call");
  await phone.ask({ type: "call_answer", callId, sdp: "answer" });
  return { callId, ada, bob, caller, phone };
}

async function onCallSocket(owner: Person, { deviceId }: WorkerdDevice, callId: string): Promise<WorkerdDevice> {
  const socket = new WorkerdDevice(owner, deviceId);
  await socket.connect(`/calls/${callId}/ws`);
  return socket;
}

function gather(from: WorkerdDevice, callId: string, ...names: string[]): void {
  from.send({ type: "ice_candidate", callId, candidates: names.map((candidate) => ({ candidate })) });
}

function describes(from: WorkerdDevice, callId: string, sdpType: "offer" | "answer", sdp: string): void {
  from.send({ type: "call_negotiate", callId, sdp, sdpType });
}

/** The names of candidates and texts of descriptions that a device was given, in order. */
function given(device: WorkerdDevice): string[] {
  return device.heard.flatMap((m) => {
    if (m.type === "ice_candidate") return m.candidates.map(({ candidate }) => candidate);
    return m.type === "call_negotiate" ? [m.sdp] : [];
  });
}

/** The call has dealt with what `from` said, and knows whether `to` has heard it. */
async function isDone({ callId }: Talk, from: WorkerdDevice, to: WorkerdDevice): Promise<void> {
  await from.ask({ type: "call_sync", callId });
  await env.USERS.getByName(to.person.userId).lastSign(to.deviceId);
  await env.CALLS.getByName(callId).look(to.person.userId);
}

/** What it is given once it has as much, and not more. */
async function givenAtLeast(device: WorkerdDevice, count: number): Promise<string[]> {
  await device.until(() => (given(device).length >= count ? true : undefined), `${count} that were missed`);
  await device.settle();
  return given(device);
}

describe.each([
  ["on the user sockets alone", false],
  ["with the sender on a call socket", true],
])("[ICE-4] a device without a socket, %s", (_title, isOnCallSocket) => {
  async function away(): Promise<Talk & { sender: WorkerdDevice }> {
    const talk = await answered();
    const { ada, caller, callId } = talk;
    const sender = isOnCallSocket ? await onCallSocket(ada, caller, callId) : caller;
    await talk.phone.loses();
    return { ...talk, sender };
  }

  test("is given what it has missed after `registered`, in order and once", async () => {
    const talk = await away();
    const { sender, phone, callId } = talk;
    gather(sender, callId, "a1", "a2");
    describes(sender, callId, "offer", "restart");
    gather(sender, callId, "a3");
    await isDone(talk, sender, phone);
    await phone.comesBack();
    expect(await givenAtLeast(phone, 4)).toEqual(["a1", "a2", "restart", "a3"]);
    const types = phone.story().slice(phone.story().lastIndexOf("registered"));
    expect(types.slice(0, 3)).toEqual(["registered", "recover", "ice_candidate"]);
    const rev = phone.heard.flatMap((m) => (m.type === "registered" ? m.calls.map((call) => call.rev) : [])).at(-1);
    expect(phone.heard.findLast((m) => m.type === "ice_candidate")).toMatchObject({ rev });
    gather(sender, callId, "a4");
    expect(await givenAtLeast(phone, 5)).toEqual(["a1", "a2", "restart", "a3", "a4"]);
    await phone.loses();
    await phone.comesBack();
    expect(await givenAtLeast(phone, 5)).toHaveLength(5);
  });

  test("is given it on its call socket, if that is first", async () => {
    const talk = await away();
    const { sender, bob, phone, callId } = talk;
    describes(sender, callId, "offer", "restart");
    gather(sender, callId, "a1");
    await isDone(talk, sender, phone);
    const socket = await onCallSocket(bob, phone, callId);
    expect(await givenAtLeast(socket, 2)).toEqual(["restart", "a1"]);
    expect(socket.story().slice(0, 3)).toEqual(["registered", "recover", "call_negotiate"]);
    await phone.comesBack();
    await phone.settle();
    expect(given(phone)).toEqual([]);
  });

  test("is given the latest description only", async () => {
    const talk = await away();
    const { sender, phone, callId } = talk;
    for (const sdp of ["first", "second", "third"]) {
      describes(sender, callId, "offer", sdp);
      gather(sender, callId, `of the ${sdp}`);
    }
    await isDone(talk, sender, phone);
    await phone.comesBack();
    expect(await givenAtLeast(phone, 2)).toEqual(["third", "of the third"]);
  });

  test("is given nothing that is older than 60 s", async () => {
    const talk = await away();
    const { sender, phone, callId } = talk;
    gather(sender, callId, "old");
    await isDone(talk, sender, phone);
    vi.setSystemTime(Date.now() + CANDIDATE_KEPT_MS - 1);
    gather(sender, callId, "new");
    await isDone(talk, sender, phone);
    vi.setSystemTime(Date.now() + 1);
    await phone.comesBack();
    expect(await givenAtLeast(phone, 1)).toEqual(["new"]);
  });

  test("is given it also when the call's object has lost its memory, once", async () => {
    const talk = await away();
    const { sender, phone, callId } = talk;
    gather(sender, callId, "a1");
    gather(sender, callId, "a2");
    describes(sender, callId, "offer", "restart");
    gather(sender, callId, "a3");
    await isDone(talk, sender, phone);
    const forget = () => evictDurableObject(env.CALLS.getByName(callId), { webSockets: "hibernate" });
    await forget();
    gather(sender, callId, "a4");
    await isDone(talk, sender, phone);
    await forget();
    await phone.comesBack();
    expect(await givenAtLeast(phone, 5)).toEqual(["a1", "a2", "restart", "a3", "a4"]);
    await forget();
    await phone.loses();
    await phone.comesBack();
    expect(await givenAtLeast(phone, 5)).toHaveLength(5);
  });

  test("is given everything once and in order, however what is said crosses its coming back", async () => {
    const { sender, phone, callId } = await away();
    const said: string[] = [];
    for (let round = 0; round < 30; round++) {
      const back = phone.comesBack();
      for (let turns = 0; turns < 4 * round; turns++) await Promise.resolve();
      for (const name of [`${round}a`, `${round}b`, `${round}c`]) {
        gather(sender, callId, name);
        said.push(name);
        if (round % 2 === 1) await sender.settle();
      }
      await back;
      expect(await givenAtLeast(phone, said.length)).toEqual(said);
      await phone.loses();
    }
  });

  test("is given nothing of a call that has ended meanwhile", async () => {
    const talk = await away();
    const { sender, phone, callId } = talk;
    gather(sender, callId, "a1");
    await isDone(talk, sender, phone);
    await sender.ask({ type: "call_end", callId });
    await phone.comesBack();
    await phone.settle();
    expect(given(phone)).toEqual([]);
  });
});

describe("[ICE-4] the calling device", () => {
  test("is given what the one that answered said while it was away", async () => {
    const talk = await answered();
    const { caller, phone, callId } = talk;
    await caller.loses();
    gather(phone, callId, "b1");
    describes(phone, callId, "offer", "restart");
    await isDone(talk, phone, caller);
    await caller.comesBack();
    expect(await givenAtLeast(caller, 2)).toEqual(["b1", "restart"]);
  });
});

describe("[ICE-4] a device whose registration takes its time", () => {
  test("is given what is said meanwhile after it", async () => {
    const talk = await answered();
    const { bob, caller, phone, callId } = talk;
    const cids = new WorkerdDevice(await person("Cid"));
    await cids.connect();
    cids.send({ type: "call_initiate", idempotencyKey: "2", calleeIds: [bob.userId], callType: "video" });
    const other = await cids.next("call_initiated");
    await phone.next("call_waiting");
    await phone.loses();
    const slow = Promise.withResolvers<void>();
    const isSlow = runInDurableObject(env.CALLS.getByName(other.callId), (_object, state) =>
      state.blockConcurrencyWhile(() => slow.promise),
    );
    const back = phone.comesBack();
    for (let i = 0; i < 20; i++) await isDone(talk, caller, phone);
    gather(caller, callId, "a1");
    for (let i = 0; i < 5; i++) await isDone(talk, caller, phone);
    expect(given(phone)).toEqual([]);
    slow.resolve();
    await Promise.all([isSlow, back]);
    expect(await givenAtLeast(phone, 1)).toEqual(["a1"]);
    expect(phone.story().indexOf("ice_candidate")).toBeGreaterThan(phone.story().lastIndexOf("registered"));
  });
});

describe("[ICE-4] [HAND-1] a peer that is away while a call moves", () => {
  test("is given the offer of the device that takes over, and nothing of a handoff that failed", async () => {
    const talk = await answered();
    const { bob, caller, phone, callId } = talk;
    const tablet = new WorkerdDevice(bob);
    await tablet.connect();
    await caller.loses();
    await tablet.ask({ type: "call_handoff", callId, sdp: "failed offer", connectionId: "1" });
    tablet.send({ type: "call_media", callId, state: "failed" });
    await tablet.next("call_handoff_failed");
    gather(phone, callId, "p1");
    await isDone(talk, phone, caller);
    await caller.comesBack();
    expect(await givenAtLeast(caller, 1)).toEqual(["p1"]);
    await caller.loses();
    await tablet.ask({ type: "call_handoff", callId, sdp: "second offer", connectionId: "2" });
    gather(tablet, callId, "t1");
    await isDone(talk, tablet, caller);
    await caller.comesBack();
    expect(await givenAtLeast(caller, 3)).toEqual(["p1", "second offer", "t1"]);
    expect(caller.heard.find((m) => m.type === "call_negotiate")).toMatchObject({ handoff: true, connectionId: "2" });
  });
});
