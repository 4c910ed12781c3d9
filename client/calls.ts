import type { DeviceCall } from "./device-call.ts";

/** More than a device sees within the life of a ring. */
const MAX_REMEMBERED = 100;

/** A ring that is said again ends at the same time, but for the time that messages take; one that ends later is another. */
const SAME_RING_MS = 3_000;

/** The calls that this device rings for, is making, or is in. */
export class Calls {
  readonly #byId = new Map<string, DeviceCall>();
  /** Outgoing calls that have no id yet, by the id of their command. */
  readonly #initiating = new Map<string, DeviceCall>();
  /**
   * Calls that are over here, and when their ring was to end, in Unix ms: one that was ignored does not ring again after
   * a reconnection. Who is invited into a group once more is rung anew.
   */
  readonly #over = new Map<string, number>();

  get(callId: string): DeviceCall | undefined {
    return this.#byId.get(callId);
  }

  get all(): DeviceCall[] {
    return [...this.#byId.values()];
  }

  /** Those that take this device's microphone: made, answered, or on their way here. */
  get engaged(): DeviceCall[] {
    const live = [...this.#initiating.values(), ...this.#byId.values()];
    return [...new Set(live)].filter(({ phase }) => phase.kind !== "incoming" && phase.kind !== "ended");
  }

  /** Those that are talked in, or are on their way to that. */
  get active(): DeviceCall[] {
    return this.engaged.filter(({ isOnHold }) => !isOnHold);
  }

  /** Those that their user has put on hold, the latest first. */
  get held(): DeviceCall[] {
    const held = this.engaged.filter(({ isOnHold }) => isOnHold);
    return held.sort((a, b) => (b.heldSince ?? 0) - (a.heldSince ?? 0));
  }

  get isInitiating(): boolean {
    return this.#initiating.size > 0;
  }

  /**
   * Whether it may be announced to the user: not if it is here already, nor if that ring is over here.
   * @param ringsUntil Unix ms
   */
  isNew(callId: string, ringsUntil: number): boolean {
    return !this.#byId.has(callId) && ringsUntil > (this.#over.get(callId) ?? 0) + SAME_RING_MS;
  }

  add(callId: string, call: DeviceCall): void {
    this.#byId.set(callId, call);
  }

  /** Of a call that was taken away from here: it may come back. */
  addAgain(callId: string, call: DeviceCall): void {
    this.#over.delete(callId);
    this.add(callId, call);
  }

  initiate(commandId: string, call: DeviceCall): void {
    this.#initiating.set(commandId, call);
  }

  initiated(commandId: string | undefined): DeviceCall | undefined {
    return commandId === undefined ? undefined : this.#initiating.get(commandId);
  }

  settled(commandId: string): void {
    this.#initiating.delete(commandId);
  }

  /** It is over here, whatever it goes on as. */
  remove(callId: string): void {
    this.#over.set(callId, this.#byId.get(callId)?.ringsUntil ?? 0);
    this.#byId.delete(callId);
    const [oldest] = this.#over.keys();
    if (this.#over.size > MAX_REMEMBERED && oldest !== undefined) this.#over.delete(oldest);
  }

  clear(): void {
    this.#byId.clear();
  }
}
