import { RevisionGap } from "../../../client/revision-gap.ts";
import type { CallSnapshot } from "../../../schema/call.ts";
import type { InCallMessage } from "../../../schema/client-messages.ts";
import { ServerMessage, type ServerMessageOf } from "../../../schema/server-messages.ts";
import { DeviceSocket } from "./device-socket.ts";
import { Radio } from "./network.ts";
import type { Person, World } from "./world.ts";

/** What a device has come to know of the people in a call. */
interface PersonHeard {
  readonly state: CallSnapshot["participants"][number]["state"];
  readonly deviceId?: string | undefined;
  readonly held?: boolean | undefined;
}

/**
 * A device that does nothing by itself: what is said in its name reaches the call at once, and what it hears comes on
 * its user socket. Where revisions are missing it asks, as every client does.
 */
export class Ear {
  readonly person: Person;
  readonly deviceId: string;
  /** The only call. */
  callId = "";
  #rings = false;
  #state: CallSnapshot["state"] | null = null;
  #elsewhere: string | null = null;
  #wasIn = false;
  #hasAsked = false;
  #people = new Map<string, PersonHeard>();
  /** Of what is shown, and of each person, the revision that it follows from: what is older comes too late. */
  readonly #revs = new Map<string, number>();
  readonly #gap = new RevisionGap();
  readonly #world: World;
  readonly #socket: DeviceSocket;

  constructor(world: World, person: Person, deviceId: string) {
    this.#world = world;
    this.person = person;
    this.deviceId = deviceId;
    this.#socket = new DeviceSocket({
      world,
      radio: new Radio(world.network),
      person,
      path: "/ws",
      register: () => ({ type: "register", deviceId, deviceType: "Web" }),
      onRegistered: () => {},
      onMessage: (message) => this.#hear(message),
    });
  }

  initiate(calleeIds: readonly string[], callType: "video" | "group"): void {
    this.#wasIn = true;
    const asked = { idempotencyKey: crypto.randomUUID(), calleeIds: [...calleeIds], callType, sdp: "offer" };
    this.#socket.send({ type: "call_initiate", ...asked });
  }

  /** Said to the call itself, as on a socket of its own; the reply is heard at once. */
  async say(message: InCallMessage): Promise<void> {
    const { userId, name } = this.person;
    if (message.type === "call_handoff") this.#asksForIt();
    const from = { userId, name, deviceId: this.deviceId };
    const replies = await this.#world.call(this.callId).call("command", [from, message]);
    for (const reply of ServerMessage.array().parse(replies)) this.#hear(reply, message.type === "call_answer");
  }

  /** Whoever takes a call over does not let it ring. */
  #asksForIt(): void {
    this.#hasAsked = true;
    this.#rings = false;
  }

  /**
   * What it would show, in the end. Two things nobody is told of when they come at once: that somebody has left a group
   * with one device and come with another, and, the device that has left, that the call is on the other one. One that
   * asks for the call before it has heard where it is does not hear that any more.
   * @param withDevices those of the others too
   */
  shows(withDevices: boolean) {
    const others = [...this.#people].filter(([userId]) => userId !== this.person.userId);
    const people = others.map(([userId, { state, held, deviceId }]) => [userId, state, held, withDevices && deviceId]);
    if (this.#rings) return "rings";
    if (this.#state === "ended" || this.#state === null)
      return (!this.#wasIn && !this.#hasAsked && this.#elsewhere) || "nothing";
    return [this.#state, people.sort()];
  }

  /** @param isOwn the reply to its own answer */
  #hear(message: ServerMessage, isOwn = false): void {
    const isBehind = this.#gap.isBehind(message);
    this.#take(message, isOwn);
    if (isBehind && isIn(this.#state)) void this.say({ type: "call_sync", callId: this.callId });
  }

  #isNews(of: string, rev: number): boolean {
    const isNews = rev >= (this.#revs.get(of) ?? 0);
    if (isNews) this.#revs.set(of, rev);
    return isNews;
  }

  #take(message: ServerMessage, isOwn: boolean): void {
    if (message.type === "call_initiated") this.callId = message.callId;
    if (message.type === "call_state") this.#snapshot(message);
    if (message.type === "call_elsewhere")
      this.#found(message.rev, message.state === "ended" ? null : message.deviceId);
    if (message.type === "call_handed_off") this.#moved(message);
    const own = !isOwn && this.#isOthers(message) ? null : ownState(message);
    if (own && "rev" in message) this.#became(own, message.rev);
    if (own === "ended" && "rev" in message) this.#found(message.rev, null);
    this.#meet(message);
  }

  /** A device that is taking the call over may hear that its user's other one has been connected. */
  #isOthers(message: ServerMessage): boolean {
    return message.type === "call_connected" && message.answeredBy.deviceId !== this.deviceId && !this.#wasIn;
  }

  #became(state: Own, rev: number): void {
    // Of use only to one that rings, and to one that has not been connected.
    if ((state === "quiet" || state === "connecting") && isIn(this.#state)) return;
    if (!this.#isNews("own", rev)) return;
    const isRepeated = state === "connecting" && this.#state !== null && this.#state !== "ended";
    const isAnswered = this.#state !== "reaching" && this.#state !== "ringing";
    const wasIn = isIn(this.#state);
    this.#rings = state === "rings";
    if (this.#rings) this.#found(rev, null);
    if (state !== "rings" && state !== "quiet" && !(isRepeated && isAnswered)) this.#state = state;
    if (!isIn(this.#state)) return;
    this.#found(rev, null);
    this.#wasIn = true;
    if (!wasIn) void this.say({ type: "call_sync", callId: this.callId });
  }

  #found(rev: number, deviceId: string | null): void {
    if (this.#isNews("elsewhere", rev)) this.#elsewhere = deviceId;
  }

  #snapshot({ participants, state, rev }: ServerMessageOf<"call_state">): void {
    for (const { userId, ...person } of participants) this.#knows(userId, rev, person);
    const own = participants.find(({ userId }) => userId === this.person.userId)?.deviceId;
    if (own === this.deviceId) this.#became(state, rev);
  }

  #knows(userId: string, rev: number, person: PersonHeard): void {
    if (this.#isNews(userId, rev)) this.#people.set(userId, person);
  }

  #moved({ userId, deviceId, rev }: ServerMessageOf<"call_handed_off">): void {
    const known = this.#people.get(userId);
    if (known) this.#knows(userId, rev, { ...known, deviceId });
    if (userId !== this.person.userId) return;
    const isHere = deviceId === this.deviceId;
    this.#found(rev, isHere ? null : deviceId);
    if (!isHere && this.#isNews("own", rev)) this.#state = null;
    else if (isHere && !isIn(this.#state)) this.#became("connecting", rev);
  }

  #meet(message: ServerMessage): void {
    switch (message.type) {
      case "participant_joined":
        this.#knows(message.userId, message.rev, { state: "joined", deviceId: message.deviceId });
        break;
      case "participant_left":
        this.#knows(message.userId, message.rev, { state: "left" });
        break;
      case "participant_updated":
        this.#knows(message.userId, message.rev, { state: message.state });
        break;
      case "call_held": {
        const known = this.#people.get(message.userId);
        if (known) this.#knows(message.userId, message.rev, { ...known, held: message.on || undefined });
        break;
      }
      default:
        break;
    }
  }
}

function isIn(state: CallSnapshot["state"] | null): boolean {
  return state === "connecting" || state === "connected" || state === "reconnecting";
}

/** `quiet`: it stops ringing. */
type Own = CallSnapshot["state"] | "rings" | "quiet";

/** What a message says of the device's own part in the call. */
function ownState(message: ServerMessage): Own | null {
  switch (message.type) {
    case "incoming_call":
    case "call_waiting":
      return "rings";
    case "call_initiated":
      return message.state;
    case "call_connected":
      return "connecting";
    case "call_cancelled":
    case "call_declined":
    case "already_answered":
      return "quiet";
    case "call_ended":
      return "ended";
    default:
      return null;
  }
}
