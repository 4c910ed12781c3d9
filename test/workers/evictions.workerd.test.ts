import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ClientMessageInput } from "../../schema/client-messages.ts";
import type { CallEvent } from "../../schema/ledger.ts";
import { ledgerEvent } from "../../workers/call/ledger-event.ts";
import type { Call } from "../../workers/call/state.ts";
import { Crashes } from "../support/crashes.ts";
import { type Person, person, WorkerdDevice } from "../support/workerd-device.ts";

/** A call between Ada and Bob, who has three devices, played message by message on user sockets. */
class Play {
  readonly ada: Person;
  readonly bob: Person;
  readonly caller: WorkerdDevice;
  readonly phone: WorkerdDevice;
  readonly tablet: WorkerdDevice;
  readonly laptop: WorkerdDevice;
  callId = "";

  constructor(ada: Person, bob: Person) {
    this.ada = ada;
    this.bob = bob;
    this.caller = new WorkerdDevice(ada);
    this.phone = new WorkerdDevice(bob);
    this.tablet = new WorkerdDevice(bob);
    this.laptop = new WorkerdDevice(bob);
  }

  static async begin(): Promise<Play> {
    const play = new Play(await person("Ada"), await person("Bob"));
    for (const device of play.devices) await device.connect();
    return play;
  }

  get devices(): WorkerdDevice[] {
    return [this.caller, this.phone, this.tablet, this.laptop];
  }

  /** Each line is what one device says; a repeated one is the same command again. */
  lines(): [WorkerdDevice, () => ClientMessageInput][] {
    const { caller, phone, tablet, bob } = this;
    const about = () => ({ callId: this.callId });
    const idempotencyKey = crypto.randomUUID();
    const candidate = (name: string) => ({ candidates: [{ candidate: name, sdpMid: "0", sdpMLineIndex: 0 }] });
    const call = {
      type: "call_initiate" as const,
      idempotencyKey,
      calleeIds: [bob.userId],
      callType: "video" as const,
    };
    return [
      [caller, () => ({ ...call, sdp: "offer" })],
      [caller, () => ({ type: "ice_candidate", ...about(), ...candidate("a") })],
      [phone, () => ({ type: "call_alerting", ...about() })],
      [phone, () => ({ type: "ice_candidate", ...about(), ...candidate("b") })],
      [phone, () => ({ type: "call_answer", ...about(), sdp: "answer" })],
      [tablet, () => ({ type: "call_answer", ...about(), sdp: "late" })],
      [phone, () => ({ type: "call_media", ...about(), state: "connected" })],
      [caller, () => ({ type: "call_media", ...about(), state: "recovering" })],
      [caller, () => ({ type: "call_media", ...about(), state: "connected" })],
      [phone, () => ({ type: "call_end", ...about() })],
    ];
  }

  /** Says a line and waits until the call has dealt with it: by its reply, or by asking how things stand. */
  async say(device: WorkerdDevice, line: ClientMessageInput): Promise<void> {
    const hasReply = line.type === "call_initiate" || line.type === "call_answer" || line.type === "call_end";
    if (!hasReply) device.send(line);
    const reply = await device.ask(hasReply ? line : { type: "call_sync", callId: this.callId });
    if (reply.type === "call_initiated") this.callId = reply.callId;
    if (reply.type === "error") throw new Error(`${line.type}: ${reply.code}`);
    await this.atRest();
  }

  /** Nobody has anything left to tell anybody. */
  async atRest(): Promise<void> {
    for (const stub of this.objects()) await runInDurableObject(stub, async (_object, state) => state.storage.sync());
    for (const device of this.devices) if (!device.closed) await device.settle();
  }

  objects(): DurableObjectStub[] {
    const users = [this.ada, this.bob].map(({ userId }) => env.USERS.getByName(userId));
    return this.callId === "" ? users : [...users, env.CALLS.getByName(this.callId)];
  }

  /** The sockets of a user whose object has died are closed. */
  async untilClosed(userId: string): Promise<void> {
    for (const device of this.devices) if (device.person.userId === userId) await device.untilClosed();
  }

  async reconnect(): Promise<void> {
    for (const device of this.devices) await device.reconnect();
  }

  /** What happened, with names for ids and without times. */
  async history(): Promise<unknown> {
    const event = await runInDurableObject(env.CALLS.getByName(this.callId), (_object, state): CallEvent | null => {
      const call = state.storage.kv.get<Call>("call");
      return call ? ledgerEvent(call) : null;
    });
    return this.named({
      state: event?.state,
      outcome: event?.outcome,
      reason: event?.reason,
      answeredBy: event?.answeredBy,
      people: event?.participants.map(({ userId, state, devices }) => [userId, state, devices.map((d) => d.deviceId)]),
    });
  }

  /** What each device was told, with names for ids and without times. */
  stories(): unknown {
    const about = (device: WorkerdDevice) => device.heard.filter(({ type }) => type !== "registered");
    return this.named(this.devices.map((device) => about(device).map((message) => withoutTimes({ ...message }))));
  }

  named(value: unknown): unknown {
    const names: Record<string, string> = {
      [this.callId]: "call",
      [this.ada.userId]: "Ada",
      [this.bob.userId]: "Bob",
      [this.caller.deviceId]: "caller",
      [this.phone.deviceId]: "phone",
      [this.tablet.deviceId]: "tablet",
      [this.laptop.deviceId]: "laptop",
    };
    return JSON.parse(JSON.stringify(value), (_key, field) =>
      typeof field === "string" ? (names[field] ?? field) : field,
    );
  }
}

/** Without people too: what a callee is called is only known once one of their devices has spoken. */
function withoutTimes(message: Record<string, unknown>): Record<string, unknown> {
  const timed = new Set(["re", "remainingMs", "createdAt", "connectedAt", "durationSeconds", "participants"]);
  return Object.fromEntries(Object.entries(message).filter(([key]) => !timed.has(key)));
}

async function undisturbed(): Promise<Play> {
  const play = await Play.begin();
  for (const [device, line] of play.lines()) await play.say(device, line());
  return play;
}

describe("objects that lose their memory", () => {
  test("evicted after every message, sockets hibernating: every device is told exactly the same", async () => {
    const reference = await undisturbed();
    const play = await Play.begin();
    let evictions = 0;
    for (const [device, line] of play.lines()) {
      await play.say(device, line());
      for (const stub of play.objects()) {
        await evictDurableObject(stub, { webSockets: "hibernate" });
        evictions++;
      }
    }
    expect(await play.history()).toEqual(await reference.history());
    expect(play.stories()).toEqual(reference.stories());
    expect(evictions).toBe(play.lines().length * 3);
  });

  test("evicted after every message, sockets closed: the history is the same and nothing rings on", async () => {
    const reference = await undisturbed();
    const play = await Play.begin();
    let evictions = 0;
    for (const [device, line] of play.lines()) {
      await play.say(device, line());
      for (const stub of play.objects()) {
        await evictDurableObject(stub, { webSockets: "close" });
        evictions++;
      }
      for (const each of play.devices) await each.untilClosed();
      await play.reconnect();
    }
    expect(await play.history()).toEqual(await reference.history());
    expect(play.devices.map((each) => each.rings())).toEqual([false, false, false, false]);
    expect(evictions).toBe(play.lines().length * 3);
  });
});

describe("objects that die between writing and performing", () => {
  const crashes = new Crashes();
  beforeEach(() => crashes.arm());
  afterEach(() => crashes.disarm());

  /** Plays on after the n-th write of all objects was the last thing that its object did. */
  async function playWithCrash(nth: number): Promise<Play> {
    const play = await Play.begin();
    crashes.after(nth);
    for (const [device, line] of play.lines()) {
      const said = await play.say(device, line()).then(
        () => "done",
        (error: unknown) => String(error),
      );
      const crashed = crashes.taken();
      if (!crashed) expect(said).toBe("done");
      if (!crashed) continue;
      await crashes.recover(crashed, play.callId);
      if (crashed.kind === "user") await play.untilClosed(crashed.userId);
      await play.reconnect();
      await play.say(device, line());
    }
    return play;
  }

  test("after every single write: there is one winner, nothing rings on and the history is the same", async () => {
    const reference = await undisturbed();
    const counted = await Play.begin();
    crashes.after(Number.POSITIVE_INFINITY);
    for (const [device, line] of counted.lines()) await counted.say(device, line());
    const writes = crashes.writes;
    expect(writes).toBeGreaterThanOrEqual(8);
    for (let nth = 1; nth <= writes; nth++) {
      const play = await playWithCrash(nth);
      expect([nth, await play.history()]).toEqual([nth, await reference.history()]);
      expect([nth, play.devices.map((each) => each.rings())]).toEqual([nth, [false, false, false, false]]);
    }
    expect(crashes.count).toBe(writes);
  });
});
