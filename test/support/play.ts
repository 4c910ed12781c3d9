import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { ClientMessageInput } from "../../schema/client-messages.ts";
import type { CallEvent } from "../../schema/ledger.ts";
import { ledgerEvent } from "../../workers/call/ledger-event.ts";
import type { Call } from "../../workers/call/state.ts";
import { type Person, person, WorkerdDevice } from "./workerd-device.ts";

const WITH_REPLY: ReadonlySet<string> = new Set([
  "call_initiate",
  "call_answer",
  "call_decline",
  "call_end",
  "call_handoff",
  "call_invite",
]);

export type Line = readonly [WorkerdDevice, () => ClientMessageInput];
/** Each line is what one device says. */
export type Script = (play: Play) => readonly Line[];

/** Ada, Bob with his three devices, and Cid, whose call is played message by message on user sockets. */
export class Play {
  readonly ada: Person;
  readonly bob: Person;
  readonly cid: Person;
  readonly script: Script;
  readonly caller: WorkerdDevice;
  readonly phone: WorkerdDevice;
  readonly tablet: WorkerdDevice;
  readonly laptop: WorkerdDevice;
  readonly cids: WorkerdDevice;
  callId = "";
  #lines: readonly Line[] | undefined;

  constructor(script: Script, ada: Person, bob: Person, cid: Person) {
    this.script = script;
    this.ada = ada;
    this.bob = bob;
    this.cid = cid;
    this.caller = new WorkerdDevice(ada);
    this.phone = new WorkerdDevice(bob);
    this.tablet = new WorkerdDevice(bob);
    this.laptop = new WorkerdDevice(bob);
    this.cids = new WorkerdDevice(cid);
  }

  static async begin(script: Script): Promise<Play> {
    const play = new Play(script, await person("Ada"), await person("Bob"), await person("Cid"));
    for (const device of play.devices) await device.connect();
    return play;
  }

  /** Made once: a repeated line is the same command again. */
  get lines(): readonly Line[] {
    this.#lines ??= this.script(this);
    return this.#lines;
  }

  /** Devices that ring when all has been said. */
  ringing(): string[] {
    return this.devices.flatMap((device) => (device.rings() ? [device.deviceId] : []));
  }

  get devices(): WorkerdDevice[] {
    return [this.caller, this.phone, this.tablet, this.laptop, this.cids];
  }

  /** Says a line and waits until the call has dealt with it: by its reply, or by asking how things stand. */
  async say(device: WorkerdDevice, line: ClientMessageInput): Promise<void> {
    const hasReply = WITH_REPLY.has(line.type);
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
    const users = [this.ada, this.bob, this.cid].map(({ userId }) => env.USERS.getByName(userId));
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
      [this.cid.userId]: "Cid",
      [this.caller.deviceId]: "caller",
      [this.phone.deviceId]: "phone",
      [this.tablet.deviceId]: "tablet",
      [this.laptop.deviceId]: "laptop",
      [this.cids.deviceId]: "cids",
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

const candidate = (name: string) => ({ candidates: [{ candidate: name, sdpMid: "0", sdpMLineIndex: 0 }] });

function initiates({ bob, cid }: Play, callType: "video" | "group"): ClientMessageInput {
  const calleeIds = callType === "group" ? [bob.userId, cid.userId] : [bob.userId];
  return { type: "call_initiate", idempotencyKey: crypto.randomUUID(), calleeIds, callType, sdp: "offer" };
}

/** One answers of two who try, media comes, goes and comes back. */
function plain(play: Play): readonly Line[] {
  const { caller, phone, tablet } = play;
  const about = () => ({ callId: play.callId });
  const initiate = initiates(play, "video");
  return [
    [caller, () => initiate],
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

/** Bob puts Ada on hold, goes on, and hands over to his tablet. */
function handedOver(play: Play): readonly Line[] {
  const { caller, phone, tablet } = play;
  const about = () => ({ callId: play.callId });
  const initiate = initiates(play, "video");
  return [
    [caller, () => initiate],
    [phone, () => ({ type: "call_answer", ...about(), sdp: "answer" })],
    [phone, () => ({ type: "call_media", ...about(), state: "connected" })],
    [phone, () => ({ type: "call_hold", ...about(), on: true })],
    [phone, () => ({ type: "call_hold", ...about(), on: false })],
    [tablet, () => ({ type: "call_handoff", ...about(), sdp: "second offer" })],
    [caller, () => ({ type: "call_negotiate", ...about(), sdp: "second answer", sdpType: "answer" })],
    [tablet, () => ({ type: "call_media", ...about(), state: "connected" })],
    [tablet, () => ({ type: "call_end", ...about() })],
  ];
}

/** Bob answers, Cid declines and comes after all, Ada leaves, the two part. */
function grouped(play: Play): readonly Line[] {
  const { caller, phone, tablet, cids } = play;
  const about = () => ({ callId: play.callId });
  const initiate = initiates(play, "group");
  return [
    [caller, () => initiate],
    [phone, () => ({ type: "call_alerting", ...about() })],
    [phone, () => ({ type: "call_answer", ...about() })],
    [tablet, () => ({ type: "call_answer", ...about() })],
    [phone, () => ({ type: "call_media", ...about(), state: "connected" })],
    [cids, () => ({ type: "call_decline", ...about() })],
    [cids, () => ({ type: "call_answer", ...about() })],
    [caller, () => ({ type: "call_end", ...about() })],
    [cids, () => ({ type: "call_end", ...about() })],
  ];
}

/** A call between two grows, and the one who was asked to join does not want to. */
function grown(play: Play): readonly Line[] {
  const { caller, phone, cids, cid } = play;
  const about = () => ({ callId: play.callId });
  const initiate = initiates(play, "video");
  return [
    [caller, () => initiate],
    [phone, () => ({ type: "call_answer", ...about(), sdp: "answer" })],
    [phone, () => ({ type: "call_media", ...about(), state: "connected" })],
    [caller, () => ({ type: "call_invite", ...about(), calleeIds: [cid.userId] })],
    [cids, () => ({ type: "call_alerting", ...about() })],
    [cids, () => ({ type: "call_decline", ...about() })],
    [phone, () => ({ type: "call_end", ...about() })],
  ];
}

/** Nobody answers: declined on one device, silenced on another. */
function declined(play: Play): readonly Line[] {
  const { caller, phone, tablet } = play;
  const about = () => ({ callId: play.callId });
  const initiate = initiates(play, "video");
  return [
    [caller, () => initiate],
    [tablet, () => ({ type: "call_alerting", ...about() })],
    [tablet, () => ({ type: "call_decline", ...about(), reason: "ignored" })],
    [phone, () => ({ type: "call_alerting", ...about() })],
    [phone, () => ({ type: "call_decline", ...about() })],
  ];
}

export const SCRIPTS: readonly (readonly [name: string, script: Script])[] = [
  ["answered once of two tries", plain],
  ["held and handed over", handedOver],
  ["of a group", grouped],
  ["that grows", grown],
  ["declined", declined],
];
