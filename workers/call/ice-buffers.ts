import { createHash } from "node:crypto";
import type { IceCandidate } from "../../schema/client-messages.ts";
import type { DeviceRef } from "../../schema/ids.ts";
import { attach, attachment, type CallSockets } from "./call-sockets.ts";
import { admit, EMPTY, type IceBatch, type IceBuffer, take } from "./ice.ts";

/** Where candidates come from: a device, and of its two connections during a handoff the named one. */
export interface IceSource extends DeviceRef {
  readonly connectionId?: string | undefined;
}

/** An attachment holds 16,384 bytes; beyond this a buffer goes to storage. */
const ATTACHMENT_ROOM = 12_000;

/**
 * Where candidates wait: with the device's call socket, which hibernates and costs nothing, else in
 * a row of storage, and that only while somebody has yet to answer.
 */
export class IceBuffers {
  readonly #storage: SyncKvStorage;
  readonly #sockets: CallSockets;
  readonly #memory = new Map<string, IceBuffer>();

  constructor(storage: SyncKvStorage, sockets: CallSockets) {
    this.#storage = storage;
    this.#sockets = sockets;
  }

  /** @param waits whether there is nobody yet to forward to, so that it must outlive an eviction */
  admit(
    callId: string,
    from: IceSource,
    candidates: readonly IceCandidate[],
    endOfCandidates: boolean,
    now: number,
    waits: boolean,
  ): void {
    const gathered = candidates.map((candidate) => ({
      candidate,
      fingerprint: fingerprint(callId, from.deviceId, candidate.candidate),
    }));
    this.#save(from, admit(this.#load(from), { candidates: gathered, endOfCandidates }, now), waits);
  }

  take(from: IceSource, now: number): IceBatch | null {
    const { buffer, batch } = take(this.#load(from), now);
    if (batch) this.#save(from, buffer, false);
    return batch;
  }

  /** A call socket takes its attachment with it: what waits there is kept. */
  spill(socket: WebSocket): void {
    const { userId, deviceId, ice } = attachment(socket);
    if (deviceId !== null && ice && ice.waiting.length > 0) this.#storage.put(key({ userId, deviceId }), ice);
  }

  #load(device: IceSource): IceBuffer {
    const remembered = this.#memory.get(key(device));
    if (remembered) return remembered;
    if (device.connectionId !== undefined) return EMPTY;
    const socket = this.#sockets.of(device);
    const attached = socket ? attachment(socket).ice : null;
    return attached ?? this.#storage.get<IceBuffer>(key(device)) ?? EMPTY;
  }

  /** A named connection has its peer: nothing of it waits. */
  #save(device: IceSource, buffer: IceBuffer, waits: boolean): void {
    this.#memory.set(key(device), buffer);
    if (device.connectionId !== undefined) return;
    const socket = this.#sockets.of(device);
    const fits = sizeOf(buffer) <= ATTACHMENT_ROOM;
    if (socket) attach(socket, { ...attachment(socket), ice: fits ? buffer : null });
    if (waits && !(socket && fits)) this.#storage.put(key(device), buffer);
  }
}

/** In bytes, no less than structured clone takes: of a text with any character beyond Latin-1, it writes two for each. */
function sizeOf(buffer: IceBuffer): number {
  const json = JSON.stringify(buffer);
  return json.length * (/[\u0100-\uffff]/.test(json) ? 2 : 1);
}

function key({ userId, deviceId, connectionId }: IceSource): string {
  return `ice:${userId}:${deviceId}${connectionId === undefined ? "" : `:${connectionId}`}`;
}

/** SHA-256 of `callId:deviceId:candidate`, its first 16 hex digits. */
export function fingerprint(callId: string, deviceId: string, candidate: string): string {
  return createHash("sha256").update(`${callId}:${deviceId}:${candidate}`).digest("hex").slice(0, 16);
}
