import type { CallState } from "../../schema/call.ts";
import type { DeviceRef } from "../../schema/ids.ts";
import type { ServerMessage } from "../../schema/server-messages.ts";
import { CLOSE_REPLACED, close, lastPing, send } from "../socket.ts";
import type { IceBuffer } from "./ice.ts";
import type { CallView } from "./state.ts";
import { notices } from "./view.ts";

/** What hibernates with a call socket: whose it is, and the candidates of that device. */
export interface CallAttachment {
  readonly userId: string;
  readonly name: string | null;
  /** Null until the socket has registered. */
  readonly deviceId: string | null;
  readonly openedAt: number;
  readonly ice: IceBuffer | null;
  /** What the device has been told of the call: survives an eviction, so that nothing is said twice. */
  readonly told: CallState | null;
}

/** The call sockets of one CallObject; one per device counts, the newest. */
export class CallSockets {
  readonly #ctx: DurableObjectState;

  constructor(ctx: DurableObjectState) {
    this.#ctx = ctx;
  }

  accept(userId: string, name: string | null, now: number): Response {
    const { 0: client, 1: server } = new WebSocketPair();
    this.#ctx.acceptWebSocket(server);
    attach(server, { userId, name, deviceId: null, openedAt: now, ice: null, told: null });
    return new Response(null, { status: 101, webSocket: client });
  }

  /** Binds the socket to a device; an older socket of the same device is closed. */
  register(socket: WebSocket, deviceId: string, told: CallState): void {
    const own = attachment(socket);
    const older = this.of({ userId: own.userId, deviceId });
    const ice = older ? attachment(older).ice : null;
    attach(socket, { ...own, deviceId, ice, told });
    if (older && older !== socket) {
      attach(older, { ...attachment(older), deviceId: null });
      close(older, CLOSE_REPLACED, "replaced by a newer connection of this device");
    }
  }

  of(device: DeviceRef): WebSocket | undefined {
    return this.#ctx.getWebSockets().find((socket) => {
      const { userId, deviceId } = attachment(socket);
      return userId === device.userId && deviceId === device.deviceId && socket.readyState === WebSocket.OPEN;
    });
  }

  /** The user's devices that hear of the call here. */
  devicesOf(userId: string): string[] {
    return this.devices().flatMap((device) => (device.userId === userId ? [device.deviceId] : []));
  }

  devices(): DeviceRef[] {
    return this.#ctx.getWebSockets().flatMap((socket) => {
      const { userId, deviceId } = attachment(socket);
      return deviceId !== null && socket.readyState === WebSocket.OPEN ? [{ userId, deviceId }] : [];
    });
  }

  /** @returns whether the device has a call socket */
  send(device: DeviceRef, messages: readonly ServerMessage[]): boolean {
    const socket = this.of(device);
    if (socket) send(socket, messages);
    return socket !== undefined;
  }

  /** Tells each device what it has not heard of its user's view. */
  announce(viewOf: (userId: string) => CallView | undefined, now: number): void {
    for (const device of this.devices()) {
      const view = viewOf(device.userId);
      const socket = this.of(device);
      if (!view || !socket) continue;
      const own = attachment(socket);
      if (own.told === view.state) continue;
      attach(socket, { ...own, told: view.state });
      send(socket, notices(own.told ?? undefined, view, device.deviceId, now));
    }
  }

  /** The latest answered `ping` of any socket, in Unix ms; 0 if there was none. */
  lastSign(): number {
    return Math.max(0, ...this.#ctx.getWebSockets().map((socket) => lastPing(this.#ctx, socket)));
  }

  closeAll(): void {
    for (const socket of this.#ctx.getWebSockets()) close(socket, 1000, "the call is over");
  }
}

export function attachment(socket: WebSocket): CallAttachment {
  return socket.deserializeAttachment();
}

export function attach(socket: WebSocket, value: CallAttachment): void {
  socket.serializeAttachment(value);
}
