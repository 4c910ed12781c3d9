import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import * as z from "zod";

/** Thrown where an object dies in a test: after its write, before anything follows from it. */
export const CRASH = "crash of a test";

/** The object that died; a user's sockets die with it. Of a call only its own row says which it is. */
export type Crash =
  | { readonly kind: "user"; readonly userId: string }
  | { readonly kind: "call"; readonly callId: string | null };

const Row = z.union([
  z.object({ callId: z.string() }).transform(({ callId }): Crash => ({ kind: "call", callId })),
  z.object({ userId: z.string() }).transform(({ userId }): Crash => ({ kind: "user", userId })),
]);

type Put = (this: SyncKvStorage, key: string, value: unknown) => void;

/**
 * Kills objects between writing and performing. All objects of a test share one isolate, so one
 * change to the storage's prototype reaches each of them, also those made anew.
 */
export class Crashes {
  /** Writes seen since `after`. */
  writes = 0;
  /** Objects killed in all. */
  count = 0;
  #nth = Number.POSITIVE_INFINITY;
  #crash: Crash | null = null;
  #disarm: () => void = () => {};

  async arm(): Promise<void> {
    const prototype = await runInDurableObject(env.USERS.getByName("any"), (_object, state) =>
      Object.getPrototypeOf(state.storage.kv),
    );
    const put: Put = prototype.put;
    const seen = (key: string, value: unknown) => this.#seen(key, value);
    prototype.put = function (this: SyncKvStorage, key: string, value: unknown) {
      put.call(this, key, value);
      seen(key, value);
    } satisfies Put;
    this.#disarm = () => {
      prototype.put = put;
    };
  }

  disarm(): void {
    this.#disarm();
  }

  /** The n-th write from now on is the last thing that its object does. */
  after(nth: number): void {
    this.writes = 0;
    this.#nth = nth;
    this.#crash = null;
  }

  /** The object that has died since the last look. A flag, for a promise of one object's must not wake another. */
  taken(): Crash | null {
    const crash = this.#crash;
    this.#crash = null;
    return crash;
  }

  /** The platform restarts the object: its memory and its sockets are gone, what was written is there. */
  async recover(crash: Crash, callId: string): Promise<void> {
    const { USERS, CALLS } = env;
    const stub = crash.kind === "user" ? USERS.getByName(crash.userId) : CALLS.getByName(crash.callId ?? callId);
    await evictDurableObject(stub, { webSockets: "close" });
  }

  #seen(key: string, value: unknown): void {
    this.writes++;
    if (this.writes !== this.#nth) return;
    this.count++;
    this.#crash = crashOf(key, value);
    throw new Error(CRASH);
  }
}

function crashOf(key: string, value: unknown): Crash {
  if (/^(?:room$|ice:|held:)/.test(key)) return { kind: "call", callId: null };
  return Row.parse(value);
}
