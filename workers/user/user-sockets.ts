import type { CallState } from "../../schema/call.ts";
import { PRESENCE_MS } from "../../schema/limits.ts";
import type { ServerMessage } from "../../schema/server-messages.ts";
import type { CallView } from "../call/state.ts";
import { notices } from "../call/view.ts";
import { CLOSE_REPLACED, close, type Identity, lastPing, send } from "../socket.ts";

/** Writing an attachment costs time, and presence is only good to within a minute. */
const TOUCH_MS = 10_000;

/** An attachment holds 16 KB. A device told of more calls than this may be told of the oldest again. */
const MAX_TOLD = 100;

/** What hibernates with a user socket. */
export interface UserAttachment {
  readonly identity: Identity;
  /** Null until the socket has registered. */
  readonly deviceId: string | null;
  /** When it was opened or last said something, to within `TOUCH_MS`; its pings are not in it. */
  readonly spokeAt: number;
  readonly watching: readonly string[];
  /** What the device has been told of each live call: survives an eviction, so that nothing is said twice. */
  readonly told: Readonly<Record<string, CallState>>;
}

export interface RegisteredSocket {
  readonly socket: WebSocket;
  readonly deviceId: string;
}

/** The user sockets of one UserObject; one per device, the newest. */
export class UserSockets {
  readonly #ctx: DurableObjectState;

  constructor(ctx: DurableObjectState) {
    this.#ctx = ctx;
  }

  accept(identity: Identity, now: number): Response {
    const { 0: client, 1: server } = new WebSocketPair();
    this.#ctx.acceptWebSocket(server);
    attach(server, { identity, deviceId: null, spokeAt: now, watching: [], told: {} });
    return new Response(null, { status: 101, webSocket: client });
  }

  /** Binds the socket to a device; an older socket of the same device is closed. */
  register(socket: WebSocket, deviceId: string): void {
    for (const older of this.registered()) {
      if (older.deviceId !== deviceId || older.socket === socket) continue;
      attach(older.socket, { ...attachment(older.socket), deviceId: null });
      close(older.socket, CLOSE_REPLACED, "replaced by a newer connection of this device");
    }
    attach(socket, { ...attachment(socket), deviceId });
  }

  registered(): RegisteredSocket[] {
    return this.#ctx.getWebSockets().flatMap((socket) => {
      const { deviceId } = attachment(socket);
      return deviceId !== null && socket.readyState === WebSocket.OPEN ? [{ socket, deviceId }] : [];
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

  /** Tells each device what it has not heard of a call and does not hear on a call socket. */
  announce(view: CallView, now: number): void {
    for (const { socket, deviceId } of this.registered()) {
      if (view.onCallSocket.includes(deviceId)) continue;
      const before = attachment(socket).told[view.callId];
      const isUnknownHere = before === undefined && view.role === "caller";
      if (before === view.state || isUnknownHere) continue;
      this.markTold(socket, view);
      send(socket, notices(before, view, deviceId, now));
    }
  }

  /** The device has started this call: from now on it is told what happens to it. */
  introduce(socket: WebSocket, view: CallView): void {
    if (attachment(socket).told[view.callId] === undefined) this.markTold(socket, { ...view, state: "reaching" });
  }

  /** An ended call is forgotten here: nothing more will be said of it. */
  markTold(socket: WebSocket, view: CallView): void {
    const own = attachment(socket);
    const others = Object.entries(own.told).filter(([callId]) => callId !== view.callId);
    const told = view.state === "ended" ? others : [...others.slice(1 - MAX_TOLD), [view.callId, view.state] as const];
    attach(socket, { ...own, told: Object.fromEntries(told) });
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
}

export function attachment(socket: WebSocket): UserAttachment {
  return socket.deserializeAttachment();
}

export function attach(socket: WebSocket, value: UserAttachment): void {
  socket.serializeAttachment(value);
}
