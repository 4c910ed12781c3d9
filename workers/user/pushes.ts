import type { PushPurpose } from "../../schema/ledger.ts";
import { PUSH_AFTER_MS } from "../../schema/limits.ts";
import type { PushRequest, PushTarget } from "../../schema/push.ts";
import type { CallView } from "../call/state.ts";
import { failure, log, short } from "../log.ts";
import type { User } from "./state.ts";

/** Asks for pushes to devices that are not reached over a socket. Sending them is the queue's consumer's work. */
export class Pushes {
  readonly #queue: Env["PUSHES"];

  constructor(queue: Env["PUSHES"]) {
    this.#queue = queue;
  }

  /** A device with a socket is pushed only if it has said nothing for a second: its app may be frozen. */
  async ring(view: CallView, deviceIds: readonly string[], connected: readonly string[]): Promise<void> {
    const isConnected = (deviceId: string) => connected.includes(deviceId);
    const offline = deviceIds.filter((deviceId) => !isConnected(deviceId));
    await this.#ask(view, "ring", offline, 0);
    await this.#ask(view, "ring", deviceIds.filter(isConnected), PUSH_AFTER_MS / 1000);
  }

  /** The call does not ring any more: who was pushed and is not in it learns how it ended. */
  async notice(view: CallView, deviceIds: readonly string[]): Promise<void> {
    const others = deviceIds.filter((deviceId) => !view.joined.includes(deviceId));
    await this.#ask(view, "notice", others, 0);
  }

  async #ask({ callId, userId }: CallView, purpose: PushPurpose, deviceIds: string[], delaySeconds: number) {
    if (deviceIds.length === 0) return;
    const request: PushRequest = { callId, userId, deviceIds, purpose, attempts: 0 };
    try {
      await this.#queue.send(request, { delaySeconds });
    } catch (error) {
      log("push_queue_failed", { call: short(callId), failure: failure(error) });
    }
  }
}

/** Devices with a push token that may be rung. */
export function pushable(user: User): string[] {
  return Object.entries(user.devices).flatMap(([deviceId, { push, doNotDisturb }]) =>
    push && !doNotDisturb ? [deviceId] : [],
  );
}

/** Of these devices those that are still to be pushed, with the tokens that they have now. */
export function pushTargets(user: User, deviceIds: readonly string[], alerted: ReadonlySet<string>): PushTarget[] {
  return deviceIds.flatMap((deviceId) => {
    const device = user.devices[deviceId];
    return device?.push && !device.doNotDisturb && !alerted.has(deviceId) ? [{ deviceId, push: device.push }] : [];
  });
}
