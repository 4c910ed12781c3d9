import type { Register } from "../../schema/client-messages.ts";
import type { DeviceRef } from "../../schema/ids.ts";
import type { MediaReport } from "../../schema/media-report.ts";
import type { ServerMessage } from "../../schema/server-messages.ts";
import { expire, leaseDeadline, type TokenLease } from "../expiry.ts";
import type { Party } from "../fleet/regions.ts";
import { CLOSE_REPLACED, CLOSE_SILENT, close, type Identity, lastPing, send } from "../socket.ts";
import { withMeasured } from "../whereabouts.ts";
import type { IceBuffer } from "./ice.ts";
import { notices } from "./notices.ts";
import type { CallView, Told } from "./state.ts";
import { isSameTold, toldOf } from "./told.ts";

/** What hibernates with a call socket: whose it is, and what of that device waits. */
export interface CallAttachment extends TokenLease {
  /** Null until the socket has registered. */
  readonly deviceId: string | null;
  /** Counts the connections: an older one that comes back does not take over from a newer one. */
  readonly epoch: number;
  readonly ice: IceBuffer | null;
  /** Until the ledger has heard of it. */
  readonly report: MediaReport | null;
  /** What the device has been told of the call: survives an eviction, so that nothing is said twice. */
  readonly told: Told | null;
  readonly party: Party;
}

/** What tells these sockets from those of media nodes. */
const TAG = "device";

/** The call sockets of one CallObject; one per device counts, the newest. */
export class CallSockets {
  readonly #ctx: DurableObjectState;

  constructor(ctx: DurableObjectState) {
    this.#ctx = ctx;
  }

  /** @param party where it comes from */
  accept(identity: Identity, party: Party): Response {
    const { 0: client, 1: server } = new WebSocketPair();
    const epoch = 1 + Math.max(0, ...this.#all().map((socket) => attachment(socket).epoch));
    this.#ctx.acceptWebSocket(server, [TAG]);
    attach(server, { identity, isNoticed: false, deviceId: null, epoch, ice: null, report: null, told: null, party });
    return new Response(null, { status: 101, webSocket: client });
  }

  /**
   * Binds the socket to a device; an older socket of the same device is closed.
   * @returns false for a socket that is itself the older one, and is closed
   */
  register(socket: WebSocket, register: Register, told: Told): boolean {
    const { deviceId } = register;
    const own = attachment(socket);
    const older = this.of({ userId: own.identity.userId, deviceId });
    if (older && attachment(older).epoch > own.epoch) {
      close(socket, CLOSE_REPLACED, "a newer connection of this device is open");
      return false;
    }
    const { ice = null, report = null } = older ? attachment(older) : {};
    attach(socket, { ...own, deviceId, ice, report, told, party: withMeasured(own.party, register) });
    if (older && older !== socket) {
      attach(older, { ...attachment(older), deviceId: null });
      close(older, CLOSE_REPLACED, "replaced by a newer connection of this device");
    }
    return true;
  }

  of(device: DeviceRef): WebSocket | undefined {
    return this.#open().find((socket) => {
      const { identity, deviceId } = attachment(socket);
      return identity.userId === device.userId && deviceId === device.deviceId;
    });
  }

  /** The user's devices that hear of the call here. */
  devicesOf(userId: string): string[] {
    return this.devices().flatMap((device) => (device.userId === userId ? [device.deviceId] : []));
  }

  devices(): DeviceRef[] {
    return this.#open().flatMap((socket) => {
      const { identity, deviceId } = attachment(socket);
      return deviceId === null ? [] : [{ userId: identity.userId, deviceId }];
    });
  }

  /** @returns whether the device has a call socket */
  send(device: DeviceRef, messages: readonly ServerMessage[]): boolean {
    const socket = this.of(device);
    if (socket) send(socket, messages);
    return socket !== undefined;
  }

  /** Of a device that reads nothing: what is sent would pile up here. If it lives after all, it comes back. */
  hangUp(device: DeviceRef): void {
    const socket = this.of(device);
    if (socket) close(socket, CLOSE_SILENT, "an offer of the room was not answered");
  }

  /** Tells each device what it has not heard of its user's view. */
  announce(viewOf: (userId: string) => CallView | undefined, now: number): void {
    for (const device of this.devices()) {
      const view = viewOf(device.userId);
      const socket = this.of(device);
      if (!view || !socket) continue;
      const own = attachment(socket);
      const told = toldOf(view);
      if (own.told && isSameTold(own.told, told)) continue;
      attach(socket, { ...own, told });
      send(socket, notices(own.told ?? undefined, view, { deviceId: device.deviceId, isEngaged: false }, now));
    }
  }

  /** Where the devices are. */
  parties(): Party[] {
    return this.#open().map((socket) => attachment(socket).party);
  }

  party(device: DeviceRef): Party | undefined {
    const socket = this.of(device);
    return socket && attachment(socket).party;
  }

  /** The latest answered `ping` of any socket, in Unix ms; 0 if there was none. */
  lastSign(): number {
    return Math.max(0, ...this.#all().map((socket) => lastPing(this.#ctx, socket)));
  }

  /** With a newer token than it was opened with. */
  renew(socket: WebSocket, lease: TokenLease): void {
    attach(socket, { ...attachment(socket), ...lease });
  }

  /** When a socket's token is next to be looked at, in Unix ms; of one that has not registered, too. */
  leaseDeadline(): number {
    return Math.min(Number.POSITIVE_INFINITY, ...this.#open().map((socket) => leaseDeadline(attachment(socket))));
  }

  expire(now: number): void {
    for (const socket of this.#open()) {
      const own = attachment(socket);
      attach(socket, { ...own, ...expire(socket, own, now) });
    }
  }

  #open(): WebSocket[] {
    return this.#all().filter(({ readyState }) => readyState === WebSocket.OPEN);
  }

  #all(): WebSocket[] {
    return this.#ctx.getWebSockets(TAG);
  }

  closeAll(): void {
    for (const socket of this.#all()) close(socket, 1000, "the call is over");
  }
}

export function attachment(socket: WebSocket): CallAttachment {
  return socket.deserializeAttachment();
}

export function attach(socket: WebSocket, value: CallAttachment): void {
  socket.serializeAttachment(value);
}
