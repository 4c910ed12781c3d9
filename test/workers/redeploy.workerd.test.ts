import { evictDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import type { CallSnapshot } from "../../schema/call.ts";
import { type Line, Play, SCRIPTS } from "../support/play.ts";
import { WorkerdDevice } from "../support/workerd-device.ts";

/** In which state the call of which script is, after how many of its lines. */
const STATES = [
  ["reaching", "answered once of two tries", 2],
  ["ringing", "answered once of two tries", 4],
  ["connecting", "answered once of two tries", 5],
  ["connected", "answered once of two tries", 7],
  ["reconnecting", "answered once of two tries", 8],
  ["over", "answered once of two tries", 10],
  ["held", "held and handed over", 4],
  ["being handed over", "held and handed over", 6],
  ["being handed over, with an answer", "held and handed over", 7],
  ["handed over", "held and handed over", 8],
  ["a group that rings", "of a group", 2],
  ["a group of which one is in", "of a group", 3],
  ["a group of which all are in", "of a group", 7],
  ["a group that one has left", "of a group", 8],
  ["a call between two to which somebody is invited", "that grows", 4],
  ["silenced on one device", "declined", 3],
] as const;

/** A play on user sockets alone, or one in which the devices of the first two open call sockets as soon as there is a call. */
class Stage {
  readonly play: Play;
  readonly #hasCallSockets: boolean;
  readonly #onCall = new Map<WorkerdDevice, WorkerdDevice>();

  constructor(play: Play, hasCallSockets: boolean) {
    this.play = play;
    this.#hasCallSockets = hasCallSockets;
  }

  static async begin(name: string, hasCallSockets: boolean): Promise<Stage> {
    const script = SCRIPTS.find(([title]) => title === name)?.[1];
    if (!script) throw new Error(`there is no script ${name}`);
    return new Stage(await Play.begin(script), hasCallSockets);
  }

  async say(from: number, to?: number): Promise<void> {
    for (const line of this.play.lines.slice(from, to)) {
      await this.#say(line);
      if (this.#hasCallSockets && this.#onCall.size === 0) await this.#openCallSockets();
    }
  }

  /** A new version is deployed: every object loses its memory, and every socket is closed. */
  async redeploy(): Promise<void> {
    const { play } = this;
    for (const stub of play.objects()) await evictDurableObject(stub, { webSockets: "close" });
    for (const device of this.#listeners) await device.untilClosed();
    await play.reconnect();
    for (const socket of this.#onCall.values()) await socket.connect(`/calls/${play.callId}/ws`);
    await this.#settle();
  }

  /** Until a call is answered, devices on call sockets send their candidates again when they come back. */
  async gatherAgain(before: number): Promise<void> {
    if (!this.#hasCallSockets || (await this.#isAnswered())) return;
    const gathered = this.play.lines.slice(0, before).filter(([, line]) => line().type === "ice_candidate");
    for (const line of gathered) await this.#say(line);
  }

  /** How the call stands, as each device is told when it asks; null for those who have no part in it. */
  async standings(): Promise<unknown> {
    const { play } = this;
    const replies = await Promise.all(
      play.devices.map((device) => this.#socketOf(device).ask({ type: "call_sync", callId: play.callId })),
    );
    return play.named(replies.map((reply) => (reply.type === "call_state" ? essence(reply) : null)));
  }

  /** The same, as each device was told on all its sockets when it came back. */
  greetings(): unknown {
    const told = (socket: WorkerdDevice) => {
      const calls = socket.heard.findLast((message) => message.type === "registered")?.calls;
      const call = calls?.find(({ callId }) => callId === this.play.callId);
      return call ? essence(call) : null;
    };
    for (const [device, socket] of this.#onCall) expect(told(socket)).toEqual(told(device));
    return this.play.named(this.play.devices.map(told));
  }

  /** Which devices ring that hear everything on one socket. */
  ringing(): unknown {
    return this.play.named(this.#single.flatMap((device) => (device.rings() ? [device.deviceId] : [])));
  }

  /** Where they take themselves to be. */
  beliefs(): string[] {
    return this.#single.map((device) => (device.isInCall() ? "in the call" : device.rings() ? "ringing" : "idle"));
  }

  /** What was carried to each device, in order. */
  given(): string[][] {
    return this.#listeners.map(({ heard }) =>
      heard.flatMap((m) => {
        if (m.type === "ice_candidate") return m.candidates.map(({ candidate }) => candidate);
        return m.type === "call_negotiate" ? [m.sdp] : [];
      }),
    );
  }

  /** Where the device hears replies. */
  #socketOf(device: WorkerdDevice): WorkerdDevice {
    return this.#onCall.get(device) ?? device;
  }

  get #single(): WorkerdDevice[] {
    return this.play.devices.filter((device) => !this.#onCall.has(device));
  }

  get #listeners(): WorkerdDevice[] {
    return [...this.play.devices, ...this.#onCall.values()];
  }

  async #say([device, line]: Line): Promise<void> {
    await this.play.say(this.#socketOf(device), line());
    await this.#settle();
  }

  async #settle(): Promise<void> {
    await this.play.atRest();
    for (const socket of this.#onCall.values()) if (!socket.closed) await socket.settle();
  }

  async #openCallSockets(): Promise<void> {
    const { caller, phone, tablet, callId } = this.play;
    for (const device of [caller, phone, tablet]) {
      const socket = new WorkerdDevice(device.person, device.deviceId);
      await socket.connect(`/calls/${callId}/ws`);
      this.#onCall.set(device, socket);
    }
  }

  async #isAnswered(): Promise<boolean> {
    const reply = await this.#socketOf(this.play.caller).ask({ type: "call_sync", callId: this.play.callId });
    return reply.type === "call_state" && reply.answeredBy !== undefined;
  }
}

/** Without times, and without what people are called: of whom nobody has heard, it is only remembered. */
function essence({ callType, state, participants, answeredBy, sdp, outcome, reason }: CallSnapshot): object {
  const people = participants.map(({ name: _, ...person }) => person);
  return { callType, state, people, answeredBy, sdp, outcome, reason };
}

describe.each([
  ["on user sockets", false],
  ["on call sockets", true],
])("[RES-2] a redeployment in the middle of a call %s", (_title, hasCallSockets) => {
  test.each(STATES)("that is %s: all is as without it, then and at the end", async (_state, name, after) => {
    const reference = await Stage.begin(name, hasCallSockets);
    const stage = await Stage.begin(name, hasCallSockets);
    for (const each of [reference, stage]) await each.say(0, after);
    await stage.redeploy();
    expect(stage.greetings()).toEqual(await reference.standings());
    expect(stage.ringing()).toEqual(reference.ringing());
    await stage.gatherAgain(after);
    for (const each of [reference, stage]) await each.say(after);
    expect(await stage.play.history()).toEqual(await reference.play.history());
    expect(stage.beliefs()).toEqual(reference.beliefs());
    expect(stage.given()).toEqual(reference.given());
    expect(await stage.standings()).toEqual(await reference.standings());
    await stage.redeploy();
    expect(stage.greetings()).toEqual(await reference.standings());
    expect(stage.play.ringing()).toEqual([]);
  });
});
