import type { Create } from "../call/call.ts";
import { failure, log, short } from "../log.ts";
import type { Created } from "../rpc.ts";
import type { Event } from "./user.ts";

/** Calls that the user starts, from the key that is written to the call object's reply. */
export class Outgoing {
  readonly #ctx: DurableObjectState;
  readonly #calls: Env["CALLS"];
  readonly #step: (event: Event) => void;
  /** Calls whose object has not replied yet: a repeated initiation waits for the same reply. */
  readonly #creating = new Map<string, Promise<Created>>();

  constructor(ctx: DurableObjectState, calls: Env["CALLS"], step: (event: Event) => void) {
    this.#ctx = ctx;
    this.#calls = calls;
    this.#step = step;
  }

  /** Creating twice is creating once, so a repeated initiation also mends one that was cut short. */
  async create(input: Create, key: string): Promise<Created> {
    const creating = this.#creating.get(input.callId) ?? this.#create(input, key);
    this.#creating.set(input.callId, creating);
    try {
      return await creating;
    } finally {
      this.#creating.delete(input.callId);
    }
  }

  /** What fails half way leaves nothing behind: the key is free again and nothing rings. */
  async #create(input: Create, key: string): Promise<Created> {
    const { callId } = input;
    try {
      const created = await this.#calls.getByName(callId).create(input);
      const failed: Event = { type: "initiation_failed", key, callId };
      this.#step(created.ok ? { type: "call_changed", view: created.view } : failed);
      return created;
    } catch (error) {
      log("initiation_failed", { call: short(callId), failure: failure(error) });
      this.#step({ type: "initiation_failed", key, callId });
      this.#ctx.waitUntil(this.#calls.getByName(callId).abandon(input.caller));
      return { ok: false, refusal: { code: "internal", message: "the call could not be set up, try again" } };
    }
  }
}
