import type { Create } from "../call/events.ts";
import { rings } from "../call/told.ts";
import { failure, log, short } from "../log.ts";
import type { Created } from "../rpc.ts";
import type { Crossing } from "./calls.ts";
import type { Event } from "./user.ts";

/** A crossing that could not be resolved leaves both calls ringing: worth more than one try. */
const MERGE_ATTEMPTS = 3;

/** Calls that the user starts, from the key that is written to the call object's reply. */
export class Outgoing {
  readonly #ctx: DurableObjectState;
  readonly #calls: Env["CALLS"];
  readonly #step: (event: Event) => void;
  /** Calls whose object has not replied yet: a repeated initiation waits for the same reply. */
  readonly #creating = new Map<string, Promise<Created>>();
  /** Calls of ours that are giving way to another. */
  readonly #merging = new Set<string>();

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

  /**
   * Both called each other: the call with the higher id, which is ours, gives way if it still rings. That is the
   * call's own decision; that the other one still rings is asked of its object, for what is remembered may be old.
   */
  async giveWay({ ours, theirs }: Crossing, userId: string): Promise<void> {
    if (this.#merging.has(ours)) return;
    this.#merging.add(ours);
    for (let attempt = 1; attempt <= MERGE_ATTEMPTS; attempt++) {
      if (await this.#giveWay(ours, theirs.callId, userId)) break;
    }
    this.#merging.delete(ours);
  }

  async #giveWay(ours: string, theirs: string, userId: string): Promise<boolean> {
    try {
      await this.#creating.get(ours);
      const view = await this.#calls.getByName(theirs).look(userId);
      if (!view) this.#step({ type: "call_unknown", callId: theirs });
      else if (!rings(view.state)) this.#step({ type: "call_changed", view });
      else {
        const isMerged = await this.#calls
          .getByName(ours)
          .merge({ callId: theirs, callType: view.callType, sdp: view.offer });
        log("calls_crossed", { call: short(ours), into: short(theirs), merged: isMerged });
      }
      return true;
    } catch (error) {
      log("merge_failed", { call: short(ours), failure: failure(error) });
      return false;
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
