import type { CallInitiate } from "../../schema/client-messages.ts";
import { type DeviceRef, uuidv7 } from "../../schema/ids.ts";
import type { ServerMessage } from "../../schema/server-messages.ts";
import type { Create } from "../call/events.ts";
import { rings } from "../call/told.ts";
import { failure, log, short } from "../log.ts";
import type { Created } from "../rpc.ts";
import { errorMessage, send } from "../socket.ts";
import { abandonedDue } from "./abandoned.ts";
import { type Crossing, crossings, isOursToGive } from "./calls.ts";
import type { Core } from "./core.ts";
import { initiationRefusal } from "./initiation.ts";
import { initiationRates } from "./rates.ts";
import type { Ringing } from "./ringing.ts";
import type { Event } from "./user.ts";
import type { UserSockets } from "./user-sockets.ts";

/** A crossing that could not be resolved leaves both calls ringing: worth more than one try. */
const MERGE_ATTEMPTS = 3;

/** Calls that the user starts, from the key that is written to the call object's reply. */
export class Outgoing {
  readonly #env: Pick<Env, "CALLS"> & Parameters<typeof initiationRates>[0];
  readonly #sockets: UserSockets;
  readonly #ringing: Ringing;
  readonly #core: Core;
  /** Calls whose object has not replied yet: a repeated initiation waits for the same reply. */
  readonly #creating = new Map<string, Promise<Created>>();
  /** Calls of ours that are giving way to another. */
  readonly #merging = new Set<string>();

  constructor(env: Env, sockets: UserSockets, ringing: Ringing, core: Core) {
    this.#env = env;
    this.#sockets = sockets;
    this.#ringing = ringing;
    this.#core = core;
  }

  async initiate(socket: WebSocket, deviceId: string, message: CallInitiate): Promise<ServerMessage[]> {
    const { user, step } = this.#core;
    const { userId, profile } = user();
    const { idempotencyKey: key, callType, sdp: offer = null } = message;
    const callees = [...new Set(message.calleeIds)];
    const fresh = uuidv7(Date.now(), crypto.getRandomValues(new Uint8Array(10)));
    const initiation = { callId: fresh, calleeIds: callees, callType };
    const refusal = initiationRefusal(userId, message);
    const verdict = step({ type: "initiate", key, initiation, rates: initiationRates(this.#env), refusal });
    if (verdict.kind === "refused") return [errorMessage(verdict.refusal, message.id)];
    const callId = verdict.kind === "duplicate" ? verdict.callId : fresh;
    const caller = { userId, name: profile?.name ?? "", deviceId };
    const hasIdleDevices = this.#sockets.devices().length > 1;
    this.#sockets.dials(socket, callId);
    const isRepeated = verdict.kind === "duplicate";
    const created = await this.#create({ callId, callType, caller, callees, offer, hasIdleDevices }, key, isRepeated);
    if (created.ok && !this.#sockets.of(deviceId)) this.#callerLeft(callId, { userId, deviceId });
    if (created.ok) return this.#initiated(socket, message, created, isRepeated);
    this.#sockets.dials(socket, null);
    return [errorMessage(created.refusal, message.id)];
  }

  /** When its socket went, nothing was known yet of the call that it was setting up. */
  #callerLeft(callId: string, device: DeviceRef): void {
    const told = this.#env.CALLS.getByName(callId).disconnected(device);
    this.#core.waitUntil(told.catch((error: unknown) => log("caller_lost_untold", { failure: failure(error) })));
  }

  /** The reply comes before anything else about the call; what has happened meanwhile follows. */
  #initiated(
    socket: WebSocket,
    { id }: CallInitiate,
    created: Extract<Created, { ok: true }>,
    deduplicated: boolean,
  ): ServerMessage[] {
    const { callId } = created.view;
    const { calls, ended } = this.#core.user();
    const view = calls[callId] ?? ended[callId]?.view ?? created.view;
    const unknown = created.unknownIds.length === 0 ? {} : { unknownIds: [...created.unknownIds] };
    const reply = { type: "call_initiated" as const, ...(id !== undefined && { re: id }), callId, deduplicated };
    send(socket, [{ ...reply, ...unknown, rev: view.rev, state: view.state }]);
    this.#sockets.introduce(socket, view);
    this.#ringing.announce(view);
    return [];
  }

  /** Creating twice is creating once, so a repeated initiation also mends one that was cut short. */
  async #create(input: Create, key: string, isRepeated: boolean): Promise<Created> {
    const creating = this.#creating.get(input.callId) ?? this.#ask(input, key, isRepeated);
    this.#creating.set(input.callId, creating);
    try {
      return await creating;
    } finally {
      this.#creating.delete(input.callId);
    }
  }

  /** Sees to calls in both directions, once for each of ours. */
  giveWay(): void {
    for (const crossing of crossings(this.#core.user(), Date.now())) {
      if (this.#merging.has(crossing.ours)) continue;
      this.#merging.add(crossing.ours);
      this.#core.waitUntil(this.#settle(crossing).finally(() => this.#merging.delete(crossing.ours)));
    }
  }

  async #settle(crossing: Crossing): Promise<void> {
    for (let attempt = 1; attempt <= MERGE_ATTEMPTS; attempt++) {
      try {
        return await this.#giveWay(crossing);
      } catch (error) {
        log("merge_failed", { call: short(crossing.ours), failure: failure(error) });
      }
    }
  }

  /**
   * Both called each other: of the two calls the one with the higher id gives way if it still rings. That is the call's
   * own decision; that the other one still rings is asked of its object, for what is remembered may be old.
   */
  async #giveWay(crossing: Crossing): Promise<void> {
    const { ours, theirs } = crossing;
    // Ours may just be asked for: what is to end it must not get there first.
    await Promise.resolve();
    await this.#creating.get(ours);
    if (this.#core.user().calls[ours] === null) await this.#learn(ours);
    if (!isOursToGive(crossing) || !this.#crosses(crossing)) return;
    const view = await this.#core.look(theirs.callId);
    if (!view || !rings(view.state)) return;
    const into = { callId: view.callId, callType: view.callType, sdp: view.offer };
    const isMerged = await this.#env.CALLS.getByName(ours).merge(into);
    log("calls_crossed", { call: short(ours), into: short(view.callId), merged: isMerged });
    if (!isMerged) await this.#learn(ours);
  }

  #crosses({ ours, theirs }: Crossing): boolean {
    const now = crossings(this.#core.user(), Date.now());
    return now.some((crossing) => crossing.ours === ours && crossing.theirs.callId === theirs.callId);
  }

  /** What is remembered of our call may have kept a device from being rung for nothing. */
  async #learn(callId: string): Promise<void> {
    const view = await this.#core.look(callId);
    if (view) this.#ringing.announce(view);
  }

  /**
   * What fails half way leaves nothing behind: the key is free again and nothing rings. A repeated one only failed to
   * ask: the call may stand since the first time, and somebody be in it.
   */
  async #ask(input: Create, key: string, isRepeated: boolean): Promise<Created> {
    const { callId } = input;
    try {
      const created = await this.#env.CALLS.getByName(callId).create(input);
      const failed: Event = { type: "initiation_failed", key, callId };
      this.#core.step(created.ok ? { type: "call_changed", view: created.view } : failed);
      return created;
    } catch (error) {
      log("initiation_failed", { call: short(callId), failure: failure(error) });
      if (!isRepeated) this.#giveUp(input, key);
      return { ok: false, refusal: { code: "internal", message: "the call could not be set up, try again" } };
    }
  }

  /** It is written down first, so that the call is ended however often that fails. */
  #giveUp({ callId, caller: { deviceId } }: Create, key: string): void {
    this.#core.step({ type: "initiation_lost", key, callId, deviceId });
    this.#core.waitUntil(this.#abandon(callId, deviceId));
  }

  /** Tells the calls' objects that nobody wants what they may have made: nobody else would end it. */
  async abandonOverdue(now: number): Promise<void> {
    const due = abandonedDue(this.#core.user(), now);
    for (const { callId } of due) this.#core.step({ type: "abandoning", callId });
    await Promise.all(due.map(({ callId, deviceId }) => this.#abandon(callId, deviceId)));
  }

  async #abandon(callId: string, deviceId: string): Promise<void> {
    const { user, step } = this.#core;
    try {
      await this.#env.CALLS.getByName(callId).abandon({ userId: user().userId, deviceId });
      step({ type: "abandoned", callId });
    } catch (error) {
      log("abandon_failed", { call: short(callId), failure: failure(error) });
    }
  }
}
