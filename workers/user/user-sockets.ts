import { MAX_UNREGISTERED, PRESENCE_MS, REGISTER_MS } from "../../schema/limits.ts";
import type { ServerMessage } from "../../schema/server-messages.ts";
import { notices } from "../call/notices.ts";
import type { CallView, Told } from "../call/state.ts";
import { isSameTold, rings, toldOf } from "../call/told.ts";
import { expire, leaseDeadline, type TokenLease } from "../expiry.ts";
import { CLOSE_REPLACED, CLOSE_UNREGISTERED, close, type Identity, lastPing, send } from "../socket.ts";
import { Lobby } from "./lobby.ts";

/** Writing an attachment costs time, and presence is only good to within a minute. */
const TOUCH_MS = 10_000;

/** An attachment holds 16 KB. A device told of more calls than this may be told of the oldest again. */
const MAX_TOLD = 50;
/** A device rings for one or two calls at a time. */
const MAX_ALERTED = 10;

/** What a device has been told of a call, and whether it is the one that is in it. */
interface DeviceTold extends Told {
  readonly isIn: boolean;
}

/** What hibernates with a user socket. */
export interface UserAttachment extends TokenLease {
  /** Null until the socket has registered. */
  readonly deviceId: string | null;
  /** Counts the connections: an older one that comes back does not take over from a newer one. */
  readonly epoch: number;
  /** When it was opened or last said something, to within `TOUCH_MS`; its pings are not in it. */
  readonly spokeAt: number;
  readonly watching: readonly string[];
  /** The call that the device is setting up. */
  readonly dialling: string | null;
  /** The latest calls for which the device has said that it alerts its user. */
  readonly alerted: readonly string[];
  /** What the device has been told of each live call: survives an eviction, so that nothing is said twice. */
  readonly told: Readonly<Record<string, DeviceTold>>;
}

export interface RegisteredSocket {
  readonly socket: WebSocket;
  readonly deviceId: string;
}

/** The user sockets of one UserObject; one per device counts, the newest. */
export class UserSockets {
  readonly #ctx: DurableObjectState;
  readonly #lobby = new Lobby();

  constructor(ctx: DurableObjectState) {
    this.#ctx = ctx;
  }

  accept(identity: Identity, now: number): Response {
    const { 0: client, 1: server } = new WebSocketPair();
    const epoch = 1 + Math.max(0, ...this.#ctx.getWebSockets().map((socket) => attachment(socket).epoch));
    this.#makeRoom();
    this.#ctx.acceptWebSocket(server);
    this.#lobby.enter(server, REGISTER_MS);
    const own = { identity, isNoticed: false, deviceId: null, epoch, spokeAt: now };
    attach(server, { ...own, watching: [], dialling: null, alerted: [], told: {} });
    return new Response(null, { status: 101, webSocket: client });
  }

  /**
   * Binds the socket to a device; an older socket of the same device is closed.
   * @returns false for a socket that is itself the older one, and is closed
   */
  register(socket: WebSocket, deviceId: string): boolean {
    const own = attachment(socket);
    const others = this.registered().filter((other) => other.deviceId === deviceId && other.socket !== socket);
    if (others.some((other) => attachment(other.socket).epoch > own.epoch)) {
      close(socket, CLOSE_REPLACED, "a newer connection of this device is open");
      return false;
    }
    for (const older of others) {
      attach(older.socket, { ...attachment(older.socket), deviceId: null });
      close(older.socket, CLOSE_REPLACED, "replaced by a newer connection of this device");
    }
    attach(socket, { ...own, deviceId });
    this.#lobby.leave(socket);
    return true;
  }

  registered(): RegisteredSocket[] {
    return this.#open().flatMap((socket) => {
      const { deviceId } = attachment(socket);
      return deviceId === null ? [] : [{ socket, deviceId }];
    });
  }

  of(deviceId: string): WebSocket | undefined {
    return this.registered().find((entry) => entry.deviceId === deviceId)?.socket;
  }

  /** The device's last sign of life in Unix ms; 0 for a device without a socket. */
  lastSign(deviceId: string): number {
    const socket = this.of(deviceId);
    return socket ? Math.max(attachment(socket).spokeAt, lastPing(this.#ctx, socket)) : 0;
  }

  /** A message is a sign of life too. */
  touch(socket: WebSocket, now: number): void {
    const own = attachment(socket);
    if (now - own.spokeAt > TOUCH_MS) attach(socket, { ...own, spokeAt: now });
  }

  /** Devices with a socket, silent ones too: a phone that may ring is to be rung. */
  devices(): string[] {
    return this.registered().map(({ deviceId }) => deviceId);
  }

  /** Devices with a socket that gave a sign of life within the last minute. */
  alive(now: number): string[] {
    return this.devices().filter((deviceId) => now - this.lastSign(deviceId) < PRESENCE_MS);
  }

  /**
   * Tells each device what it has not heard of a call and does not hear on a call socket.
   * @param isSilent of a device that does not want to be rung
   * @param ours the calls in which the user is ringing this one's caller: who calls is not rung by the same person
   */
  announce(view: CallView, isSilent: (deviceId: string) => boolean, ours: readonly string[], now: number): void {
    for (const { socket, deviceId } of this.registered()) {
      const before = attachment(socket).told[view.callId];
      if (before && isSameTold(before, toldOf(view))) continue;
      const isToBeRung = before === undefined && rings(view.state);
      if (isToBeRung && (isSilent(deviceId) || isDialling(socket, ours))) continue;
      if (before === undefined && attachment(socket).dialling === view.callId) continue;
      const isEngaged = isInAnotherCall(socket, view.callId);
      this.markTold(socket, view);
      if (!view.onCallSocket.includes(deviceId)) send(socket, notices(before, view, { deviceId, isEngaged }, now));
    }
  }

  /** The device has begun to call somebody. */
  dials(socket: WebSocket, callId: string | null): void {
    attach(socket, { ...attachment(socket), dialling: callId });
  }

  /** The device has started this call: from now on it is told what happens to it. */
  introduce(socket: WebSocket, view: CallView): void {
    const told = {
      ...view,
      state: "reaching" as const,
      people: view.people.map((person) => ({ ...person, alerting: 0 })),
    };
    if (attachment(socket).told[view.callId] === undefined) this.markTold(socket, told);
    this.dials(socket, null);
  }

  /** An ended call is forgotten here: nothing more will be said of it. */
  markTold(socket: WebSocket, view: CallView): void {
    const own = attachment(socket);
    const others = Object.entries(own.told).filter(([callId]) => callId !== view.callId);
    const entry = { ...toldOf(view), isIn: own.deviceId !== null && view.joined.includes(own.deviceId) };
    const told = view.state === "ended" ? others : [...others.slice(1 - MAX_TOLD), [view.callId, entry] as const];
    attach(socket, { ...own, told: Object.fromEntries(told) });
  }

  /** Whether the device alerts its user for the call: it is not pushed then. */
  markAlerting(socket: WebSocket, callId: string, isAlerting: boolean): void {
    const own = attachment(socket);
    const others = own.alerted.filter((other) => other !== callId).slice(1 - MAX_ALERTED);
    attach(socket, { ...own, alerted: isAlerting ? [...others, callId] : others });
  }

  alerting(callId: string): Set<string> {
    const alerting = this.registered().filter(({ socket }) => attachment(socket).alerted.includes(callId));
    return new Set(alerting.map(({ deviceId }) => deviceId));
  }

  watch(socket: WebSocket, userIds: readonly string[]): void {
    attach(socket, { ...attachment(socket), watching: userIds });
  }

  /** @returns how many sockets watch that user */
  sendToWatchers(userId: string, message: ServerMessage): number {
    const watching = this.registered().filter(({ socket }) => attachment(socket).watching.includes(userId));
    for (const { socket } of watching) send(socket, [message]);
    return watching.length;
  }

  /** A newer token of the same user. */
  renew(socket: WebSocket, lease: TokenLease): void {
    attach(socket, { ...attachment(socket), ...lease });
  }

  /** When a socket's token is next to be looked at, in Unix ms; null without sockets. */
  leaseDeadline(): number | null {
    const deadlines = this.registered().map(({ socket }) => leaseDeadline(attachment(socket)));
    return deadlines.length === 0 ? null : Math.min(...deadlines);
  }

  expire(now: number): void {
    for (const { socket } of this.registered()) {
      const own = attachment(socket);
      attach(socket, { ...own, ...expire(socket, own, now) });
    }
  }

  /** For one more that has not registered: of too many, the oldest go. */
  #makeRoom(): void {
    const byAge = this.#unregistered().sort((a, b) => attachment(a).epoch - attachment(b).epoch);
    for (const socket of byAge.slice(0, Math.max(0, byAge.length + 1 - MAX_UNREGISTERED))) {
      this.#lobby.leave(socket);
      close(socket, CLOSE_UNREGISTERED, "too many sockets have not registered");
    }
  }

  #unregistered(): WebSocket[] {
    return this.#open().filter((socket) => attachment(socket).deviceId === null);
  }

  #open(): WebSocket[] {
    return this.#ctx.getWebSockets().filter(({ readyState }) => readyState === WebSocket.OPEN);
  }
}

function isDialling(socket: WebSocket, calls: readonly string[]): boolean {
  const { dialling, told } = attachment(socket);
  return calls.some((callId) => dialling === callId || told[callId]?.isIn === true);
}

function isInAnotherCall(socket: WebSocket, callId: string): boolean {
  const { dialling, told } = attachment(socket);
  return dialling !== null || Object.entries(told).some(([other, { isIn }]) => isIn && other !== callId);
}

export function attachment(socket: WebSocket): UserAttachment {
  return socket.deserializeAttachment();
}

export function attach(socket: WebSocket, value: UserAttachment): void {
  socket.serializeAttachment(value);
}
