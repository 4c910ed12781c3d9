import type { DeviceRef } from "../../schema/ids.ts";
import type { ServerMessage } from "../../schema/server-messages.ts";
import { failure, log } from "../log.ts";
import type { CallSockets } from "./call-sockets.ts";
import { fresh, hold, type Parcel } from "./held.ts";
import { isIn, isTarget } from "./people.ts";
import type { Call } from "./state.ts";

/**
 * How often what is held for a device is written in one generation of candidates. Clients that batch them need three
 * or four; more would let one that sends each alone cost a row for each.
 */
const MAX_WRITES = 8;

interface Box {
  readonly held: readonly Parcel[];
  /** What of it is written; null without a row. */
  readonly written: readonly Parcel[] | null;
  /** Since the last description. */
  readonly writes: number;
}

/**
 * Carries what devices say to each other, to whichever socket the other one has. What no socket takes is held as long
 * as it is of use, and goes out in order, once, when the device has one again.
 *
 * It is held in memory, which is free, and in a row besides: an object with call sockets forgets everything after some
 * 10 s in which nobody says anything. Only a call in which a device has no socket at all ever pays for that.
 */
export class Post {
  readonly #ctx: DurableObjectState;
  readonly #users: Env["USERS"];
  readonly #sockets: CallSockets;
  readonly #call: () => Call | null;
  readonly #boxes = new Map<string, Box>();
  /** Devices to which something is on its way, and whether they have come back meanwhile. */
  readonly #sending = new Map<string, { hasReturned: boolean }>();

  constructor(ctx: DurableObjectState, users: Env["USERS"], sockets: CallSockets, call: () => Call | null) {
    this.#ctx = ctx;
    this.#users = users;
    this.#sockets = sockets;
    this.#call = call;
  }

  /** To one device, wherever it is connected; one that is not will ask how things stand. */
  tell(device: DeviceRef, message: ServerMessage): void {
    this.#ctx.waitUntil(this.#hand(device, [message]));
  }

  /** The same of what nobody would say again. */
  carry(device: DeviceRef, message: Parcel["message"]): void {
    const key = keyOf(device);
    const box = this.#open(key);
    const isNext = box.held.length === 0 && !this.#sending.has(key);
    if (isNext && this.#sockets.send(device, [message])) return;
    const writes = message.type === "call_negotiate" ? 0 : box.writes;
    this.#boxes.set(key, { ...box, held: hold(box.held, message, Date.now()), writes });
    this.#ctx.waitUntil(this.#deliver(device));
  }

  /** The device is about to be told that its socket is registered: what it has missed comes after that. */
  returned(device: DeviceRef): void {
    const sending = this.#sending.get(keyOf(device));
    if (sending) sending.hasReturned = true;
    else if (this.#open(keyOf(device)).held.length > 0) this.#ctx.waitUntil(this.#deliver(device));
  }

  /** One delivery at a time, so that what comes later does not overtake; the reply to who registers goes first. */
  async #deliver(device: DeviceRef): Promise<void> {
    const key = keyOf(device);
    if (this.#sending.has(key)) return;
    const sending = { hasReturned: false };
    this.#sending.set(key, sending);
    await Promise.resolve();
    for (let due = this.#due(device); due.length > 0; due = this.#due(device)) {
      sending.hasReturned = false;
      if (await this.#hand(device, this.#stamped(due))) this.#discard(key, due);
      else if (!sending.hasReturned) break;
    }
    this.#sending.delete(key);
    this.#settle(key, this.#due(device));
  }

  /** @returns whether a socket took it */
  async #hand({ userId, deviceId }: DeviceRef, messages: ServerMessage[]): Promise<boolean> {
    if (this.#sockets.send({ userId, deviceId }, messages)) return true;
    try {
      return await this.#users.getByName(userId).deliver(deviceId, messages);
    } catch (error) {
      log("relay_failed", { failure: failure(error) });
      return false;
    }
  }

  /** What is still of use: not to a device that is not in the call any more, nor from one. */
  #due(device: DeviceRef): Parcel[] {
    const call = this.#call();
    const isInCall = (who: DeviceRef) => call !== null && (isIn(call, who) || isTarget(call, who));
    if (!isInCall(device)) return [];
    return fresh(this.#open(keyOf(device)).held, Date.now()).filter(({ message }) => isInCall(message.from));
  }

  /** With the revision of the call as it stands. */
  #stamped(due: readonly Parcel[]): ServerMessage[] {
    const rev = this.#call()?.rev ?? 0;
    return due.map(({ message }) => ({ ...message, rev }));
  }

  #open(key: string): Box {
    const known = this.#boxes.get(key);
    if (known) return known;
    const written = this.#ctx.storage.kv.get<Parcel[]>(key) ?? null;
    const box = { held: written ?? [], written, writes: 0 };
    this.#boxes.set(key, box);
    return box;
  }

  #discard(key: string, sent: readonly Parcel[]): void {
    const box = this.#open(key);
    this.#boxes.set(key, { ...box, held: box.held.filter((parcel) => !sent.includes(parcel)) });
  }

  /** What is not due any more never will be. */
  #settle(key: string, due: readonly Parcel[]): void {
    const { held, written, writes } = this.#open(key);
    const { kv } = this.#ctx.storage;
    if (due.length === 0) {
      if (written) kv.delete(key);
      this.#boxes.set(key, { held: [], written: null, writes: 0 });
    } else if (written !== held && writes < MAX_WRITES) {
      kv.put(key, held);
      this.#boxes.set(key, { held, written: held, writes: writes + 1 });
    }
  }
}

function keyOf({ userId, deviceId }: DeviceRef): string {
  return `held:${userId}:${deviceId}`;
}
