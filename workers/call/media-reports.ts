import type { CallMedia } from "../../schema/client-messages.ts";
import type { DeviceRef } from "../../schema/ids.ts";
import type { MediaReport } from "../../schema/media-report.ts";
import { attach, attachment, type CallSockets } from "./call-sockets.ts";

/**
 * What devices have told of the path of their media, until the ledger hears it with the call's next change. It waits
 * with the device's call socket, which hibernates and costs nothing; without one, in a row of storage.
 */
export class MediaReports {
  readonly #storage: SyncKvStorage;
  readonly #sockets: CallSockets;

  constructor(storage: SyncKvStorage, sockets: CallSockets) {
    this.#storage = storage;
    this.#sockets = sockets;
  }

  /** The newest path counts; the call was set up but once, whatever a device that lost its memory says later. */
  keep(from: DeviceRef, report: MediaReport): void {
    if (Object.keys(report).length === 0) return;
    const before = this.of(from);
    const kept = { ...report, setup: { ...report.setup, ...before?.setup } };
    const socket = this.#sockets.of(from);
    if (socket) attach(socket, { ...attachment(socket), report: kept });
    else this.#storage.put(key(from), kept);
  }

  of(device: DeviceRef): MediaReport | undefined {
    const socket = this.#sockets.of(device);
    const attached = socket ? attachment(socket).report : null;
    return attached ?? this.#storage.get<MediaReport>(key(device));
  }

  /** A call socket takes its attachment with it: what waits there is kept. */
  spill(socket: WebSocket): void {
    const { identity, deviceId, report } = attachment(socket);
    if (deviceId !== null && report) this.#storage.put(key({ userId: identity.userId, deviceId }), report);
  }
}

/** What of a message is a report; empty where it has none. */
export function reportOf({ type, id, callId, state, connectionId, ...report }: CallMedia): MediaReport {
  return report;
}

function key({ userId, deviceId }: DeviceRef): string {
  return `media:${userId}:${deviceId}`;
}
