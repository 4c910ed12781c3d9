import { createHash } from "node:crypto";
import type { IceCandidate } from "../../schema/client-messages.ts";
import type { DeviceRef } from "../../schema/ids.ts";
import { attach, attachment, type CallSockets } from "./call-sockets.ts";
import { admit, EMPTY, type IceBatch, type IceBuffer, type Marked, take } from "./ice.ts";

/** Where candidates come from: a device, and its connection. */
export interface IceSource extends DeviceRef {
  /** The handoff that makes a second one; null for the first. */
  readonly handoff: string | null;
}

interface Gathered {
  readonly callId: string;
  readonly candidates: readonly IceCandidate[];
  readonly removed?: readonly IceCandidate[] | undefined;
  readonly endOfCandidates: boolean;
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
  /** Of the latest handoff: there is one at a time, and nothing of an earlier one comes again. */
  #second = { handoff: "", buffers: new Map<string, IceBuffer>() };

  constructor(storage: SyncKvStorage, sockets: CallSockets) {
    this.#storage = storage;
    this.#sockets = sockets;
  }

  /** @param waits whether there is nobody yet to forward to, so that it must outlive an eviction */
  admit(from: IceSource, { callId, candidates, removed = [], endOfCandidates }: Gathered, now: number, waits: boolean) {
    const marked = (candidate: IceCandidate): Marked => ({
      candidate,
      fingerprint: fingerprint(callId, from.deviceId, candidate.candidate),
    });
    const gathered = { candidates: candidates.map(marked), removed: removed.map(marked), endOfCandidates };
    this.#save(from, admit(this.#load(from), gathered, now), waits);
  }

  take(from: IceSource, now: number): IceBatch | null {
    const { buffer, batch } = take(this.#load(from), now);
    if (batch) this.#save(from, buffer, false);
    return batch;
  }

  /** A call socket takes its attachment with it: what waits there is kept. */
  spill(socket: WebSocket): void {
    const { identity, deviceId, ice } = attachment(socket);
    if (deviceId === null || !ice || ice.waiting.length === 0) return;
    this.#storage.put(key({ userId: identity.userId, deviceId }), ice);
  }

  #load(from: IceSource): IceBuffer {
    if (from.handoff !== null) return this.#ofSecond(from.handoff).get(key(from)) ?? EMPTY;
    const remembered = this.#memory.get(key(from));
    if (remembered) return remembered;
    const socket = this.#sockets.of(from);
    const attached = socket ? attachment(socket).ice : null;
    return attached ?? this.#storage.get<IceBuffer>(key(from)) ?? EMPTY;
  }

  /** A second connection has its peer from the start: nothing of it waits. */
  #save(from: IceSource, buffer: IceBuffer, waits: boolean): void {
    if (from.handoff !== null) {
      this.#ofSecond(from.handoff).set(key(from), buffer);
      return;
    }
    this.#memory.set(key(from), buffer);
    const socket = this.#sockets.of(from);
    const fits = sizeOf(buffer) <= ATTACHMENT_ROOM;
    if (socket) attach(socket, { ...attachment(socket), ice: fits ? buffer : null });
    if (waits && !(socket && fits)) this.#storage.put(key(from), buffer);
  }

  #ofSecond(handoff: string): Map<string, IceBuffer> {
    if (this.#second.handoff !== handoff) this.#second = { handoff, buffers: new Map() };
    return this.#second.buffers;
  }
}

/** In bytes, no less than structured clone takes: of a text with any character beyond Latin-1, it writes two for each. */
function sizeOf(buffer: IceBuffer): number {
  const json = JSON.stringify(buffer);
  return json.length * (/[\u0100-\uffff]/.test(json) ? 2 : 1);
}

function key({ userId, deviceId }: DeviceRef): string {
  return `ice:${userId}:${deviceId}`;
}

/** SHA-256 of `callId:deviceId:candidate`, its first 16 hex digits. */
export function fingerprint(callId: string, deviceId: string, candidate: string): string {
  return createHash("sha256").update(`${callId}:${deviceId}:${candidate}`).digest("hex").slice(0, 16);
}
