import type { DeviceRef } from "../../schema/ids.ts";
import type { CallSockets } from "./call-sockets.ts";
import { devicesIn } from "./people.ts";
import type { Call } from "./state.ts";

/**
 * Signs of life. Sockets answer `ping` without waking their object, so a sign is looked up only when it counts.
 * Whose object does not answer is taken to be there.
 */
export class Signs {
  readonly #users: Env["USERS"];
  readonly #sockets: CallSockets;

  constructor(users: Env["USERS"], sockets: CallSockets) {
    this.#users = users;
    this.#sockets = sockets;
  }

  /** Of anybody in the call, in Unix ms; 0 if there was none. */
  async last({ participants }: Call): Promise<number> {
    const devices = participants.flatMap((participant) =>
      devicesIn(participant).map((deviceId) => ({ userId: participant.userId, deviceId })),
    );
    return Math.max(this.#sockets.lastSign(), ...(await Promise.all(devices.map((device) => this.#ask(device)))));
  }

  /** Whether the device has a socket. */
  async isThere(device: DeviceRef): Promise<boolean> {
    return this.#sockets.of(device) !== undefined || (await this.#ask(device)) > 0;
  }

  async #ask({ userId, deviceId }: DeviceRef): Promise<number> {
    const sign = this.#users.getByName(userId).lastSign(deviceId);
    return sign.catch(() => Date.now());
  }
}
