import { PUSH_AFTER_MS } from "../../schema/limits.ts";
import type { PushRequest, PushTarget } from "../../schema/push.ts";
import type { CallView } from "../call/state.ts";
import { failure, log, short } from "../log.ts";
import type { User } from "./state.ts";

type Purpose = Pick<PushRequest, "purpose" | "isDecoy">;

/** Asks for pushes to devices that are not reached over a socket. Sending them is the queue's consumer's work. */
export class Pushes {
  readonly #queue: Env["PUSHES"];

  constructor(queue: Env["PUSHES"]) {
    this.#queue = queue;
  }

  /**
   * A device with a socket is pushed only if it has said nothing for a second: its app may be frozen.
   * @param isDecoy nobody is pushed at all
   */
  async ring(
    view: CallView,
    deviceIds: readonly string[],
    connected: readonly string[],
    isDecoy = false,
  ): Promise<void> {
    const isConnected = (deviceId: string) => connected.includes(deviceId);
    const offline = deviceIds.filter((deviceId) => !isConnected(deviceId));
    const purpose = { purpose: "ring" as const, ...(isDecoy && { isDecoy }) };
    await this.#ask(view, purpose, offline, 0);
    await this.#ask(view, purpose, deviceIds.filter(isConnected), PUSH_AFTER_MS / 1000);
  }

  /** The call does not ring any more: who was pushed and is not in it learns how it ended. */
  async notice(view: CallView, deviceIds: readonly string[]): Promise<void> {
    const others = deviceIds.filter((deviceId) => !view.joined.includes(deviceId));
    await this.#ask(view, { purpose: "notice" }, others, 0);
  }

  async #ask({ callId, userId }: CallView, purpose: Purpose, deviceIds: string[], delaySeconds: number) {
    if (deviceIds.length === 0) return;
    const request: PushRequest = { callId, userId, deviceIds, ...purpose, attempts: 0 };
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
