import { rings } from "../call/told.ts";
import { failure, log, short } from "../log.ts";
import type { Core } from "./core.ts";
import { isOnline } from "./user.ts";
import type { UserSockets } from "./user-sockets.ts";

/** How devices go: their socket closes, or falls silent. */
export class Departures {
  readonly #calls: Env["CALLS"];
  readonly #sockets: UserSockets;
  readonly #core: Core;

  constructor(calls: Env["CALLS"], sockets: UserSockets, core: Core) {
    this.#calls = calls;
    this.#sockets = sockets;
    this.#core = core;
  }

  /** A device whose socket closed, or became another device's, is gone unless it has a newer one. */
  left(deviceId: string | null): void {
    if (deviceId === null || this.#sockets.of(deviceId)) return;
    const { user, step } = this.#core;
    step({ type: "gone", deviceId, at: Date.now() });
    if (!isOnline(user())) log("user_offline", { user: short(user().userId) });
    for (const view of Object.values(user().calls)) {
      if (view?.role === "caller" && rings(view.state) && view.joined.includes(deviceId))
        this.#tell(view.callId, deviceId);
    }
  }

  /** Devices whose sockets have fallen silent are gone as of their last sign of life. */
  sweep(): void {
    const alive = new Set(this.#sockets.alive(Date.now()));
    for (const [deviceId, device] of Object.entries(this.#core.user().devices)) {
      if (device.connectedAt === null || alive.has(deviceId)) continue;
      const at = Math.max(device.connectedAt, this.#sockets.lastSign(deviceId));
      this.#core.step({ type: "gone", deviceId, at });
    }
  }

  /** The call that the device is making is to wait for it only for so long. */
  #tell(callId: string, deviceId: string): void {
    const { user, waitUntil } = this.#core;
    const told = this.#calls.getByName(callId).disconnected({ userId: user().userId, deviceId });
    waitUntil(told.catch((error: unknown) => log("caller_lost_untold", { failure: failure(error) })));
  }
}
