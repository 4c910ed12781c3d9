import { DurableObject } from "cloudflare:workers";
import {
  type CallInitiate,
  type InCallMessage,
  type PresenceWatch,
  parseClientFrame,
  type Register,
} from "../../schema/client-messages.ts";
import type { DevicesResponse, PresenceResponse } from "../../schema/http.ts";
import { type DeviceRef, uuidv7 } from "../../schema/ids.ts";
import { LATE_RING_MIN_MS } from "../../schema/limits.ts";
import type { ServerMessage, ServerMessageOf } from "../../schema/server-messages.ts";
import { Alarm } from "../alarm.ts";
import type { CallView } from "../call/state.ts";
import { incoming, snapshotOf } from "../call/view.ts";
import { failure, log, short } from "../log.ts";
import type { Confirmation, Taken, UserRpc } from "../rpc.ts";
import {
  answerClose,
  close,
  errorMessage,
  type Identity,
  identityOf,
  REGISTER_FIRST,
  registered,
  send,
} from "../socket.ts";
import { initiationRefusal } from "./initiation.ts";
import { Outgoing } from "./outgoing.ts";
import type { Profile, User } from "./state.ts";
import { devicesOf, presenceOf } from "./status.ts";
import * as machine from "./user.ts";
import { attachment, UserSockets } from "./user-sockets.ts";

/**
 * One user: the shell around the state machine of `user.ts`. It knows the user's devices, rings
 * them, and passes what they say of a call on to that call's object.
 */
export class UserObject extends DurableObject<Env> implements UserRpc {
  #user: User;
  readonly #alarm: Alarm;
  readonly #sockets: UserSockets;
  readonly #outgoing: Outgoing;
  /** Calls of which one device's alerting went on: the call forwards only the first. */
  readonly #alerted = new Set<string>();

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#user = ctx.storage.kv.get<User>("user") ?? machine.newUser(ctx.id.name ?? "");
    this.#sockets = new UserSockets(ctx);
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
    this.#outgoing = new Outgoing(ctx, env.CALLS, (event) => this.#step(event));
    this.#alarm = new Alarm(ctx);
  }

  override async fetch(request: Request): Promise<Response> {
    return this.#sockets.accept(identityOf(request), Date.now());
  }

  override async webSocketMessage(socket: WebSocket, frame: string | ArrayBuffer): Promise<void> {
    const parsed = parseClientFrame(frame);
    if (!parsed.ok) {
      send(socket, [errorMessage(parsed.refusal, parsed.re)]);
      return;
    }
    const { message } = parsed;
    this.#sockets.touch(socket, Date.now());
    try {
      send(socket, await this.#respond(socket, message));
    } catch (error) {
      log("message_failed", { user: short(this.#user.userId), type: message.type, failure: failure(error) });
      send(socket, [errorMessage({ code: "internal", message: "try again" }, message.id)]);
    }
  }

  override webSocketClose(socket: WebSocket, code: number): void {
    answerClose(socket, code);
    this.#left(attachment(socket).deviceId);
  }

  override webSocketError(socket: WebSocket): void {
    this.webSocketClose(socket, 1006);
  }

  override async alarm(): Promise<void> {
    this.#alarm.fired();
    const now = Date.now();
    this.#sweep();
    this.#step({ type: "swept" });
    const stale = machine.staleWatchers(this.#user, now);
    await Promise.all(stale.map((watcher) => this.#tellWatcher(watcher)));
    if (machine.isOutboxOverdue(this.#user, now, this.#ledgerRetryMs)) this.#tellLedger({});
    this.#arm();
  }

  async callChanged(view: CallView): Promise<Taken> {
    if (view.role === "callee" && !machine.isKnown(this.#user)) return { known: false, name: null, devices: [] };
    const known = this.#user.calls[view.callId];
    const now = Date.now();
    if (!known || known.rev <= view.rev) {
      this.#step({ type: "call_changed", view });
      this.#sockets.announce(view, now);
    }
    return { known: true, name: this.#user.profile?.name ?? null, devices: this.#sockets.devices() };
  }

  async deliver(deviceId: string, messages: ServerMessage[]): Promise<void> {
    const socket = this.#sockets.of(deviceId);
    if (socket) send(socket, messages);
  }

  async setProfile(profile: Profile): Promise<void> {
    this.#step({ type: "profile", profile });
  }

  async devices(): Promise<DevicesResponse> {
    this.#sweep();
    return devicesOf(this.#user);
  }

  /** @returns whether there was such a device */
  async removeDevice(deviceId: string): Promise<boolean> {
    const known = this.#user.devices[deviceId] !== undefined;
    const socket = this.#sockets.of(deviceId);
    this.#step({ type: "removed", deviceId });
    if (socket) close(socket, 4001, "this device was removed");
    return known;
  }

  async presence(): Promise<PresenceResponse> {
    this.#sweep();
    return presenceOf(this.#user, Date.now());
  }

  async watch(watcherId: string): Promise<PresenceResponse> {
    this.#sweep();
    if (machine.isKnown(this.#user)) this.#step({ type: "watched", by: watcherId });
    return presenceOf(this.#user, Date.now());
  }

  async presenceChanged(presence: PresenceResponse): Promise<boolean> {
    return this.#sockets.sendToWatchers(presence.userId, { type: "presence", ...presence }) > 0;
  }

  async ledgerConfirmed(entries: readonly Confirmation[]): Promise<void> {
    this.#step({ type: "ledger_confirmed", entries });
  }

  async lastSign(deviceId: string): Promise<number> {
    return this.#sockets.lastSign(deviceId);
  }

  async #respond(
    socket: WebSocket,
    message: Register | CallInitiate | PresenceWatch | InCallMessage,
  ): Promise<ServerMessage[]> {
    if (message.type === "register") return this.#register(socket, message);
    const { deviceId } = attachment(socket);
    if (deviceId === null) return [errorMessage(REGISTER_FIRST, message.id)];
    if (message.type === "call_initiate") return this.#initiate(socket, deviceId, message);
    if (message.type === "presence_watch") return this.#watch(socket, message);
    return this.#inCall(deviceId, message);
  }

  /**
   * The socket becomes the device's only after the calls were asked how they stand, so that nothing
   * rings before `registered`, and what rings is known to ring.
   */
  async #register(socket: WebSocket, message: Register): Promise<ServerMessage[]> {
    const asked = await this.#askCalls(message.deviceId);
    const { identity, deviceId: former } = attachment(socket);
    this.#step({ type: "profile", profile: this.#profileOf(identity) });
    const wasOnline = machine.isOnline(this.#user);
    const verdict = this.#step({ type: "register", device: message });
    if (verdict.kind === "refused") return [errorMessage(verdict.refusal, message.id)];
    if (!wasOnline) log("user_online", { user: short(this.#user.userId) });
    this.#sockets.register(socket, message.deviceId);
    this.#left(former);
    // What has changed while the calls were asked is in the state by now.
    const live = Object.values(this.#user.calls).flatMap((view) => view ?? []);
    const views = [...live, ...asked.filter(({ state }) => state === "ended")];
    for (const view of views) this.#sockets.markTold(socket, view);
    const now = Date.now();
    const device = { userId: this.#user.userId, deviceId: message.deviceId };
    const snapshots = views.map((view) => snapshotOf(view, now));
    return [registered(device, message.id, this.#user.rev, snapshots), ...views.flatMap((view) => lateRing(view, now))];
  }

  /** Everybody is called something: a user without a row would have calls without a history. */
  #profileOf({ userId, name, avatarUrl }: Identity): Profile {
    const known = this.#user.profile;
    return {
      name: name ?? known?.name ?? `User ${short(userId)}`,
      avatarUrl: avatarUrl ?? known?.avatarUrl ?? null,
    };
  }

  async #askCalls(deviceId: string): Promise<CallView[]> {
    const device = { userId: this.#user.userId, deviceId };
    const asked = Object.keys(this.#user.calls).map(async (callId) => {
      const view = await this.env.CALLS.getByName(callId).attend(device);
      this.#step(view ? { type: "call_changed", view } : { type: "call_unknown", callId });
      return view;
    });
    const views = await Promise.all(asked);
    return views.flatMap((view) => (view ? [view] : []));
  }

  async #initiate(socket: WebSocket, deviceId: string, message: CallInitiate): Promise<ServerMessage[]> {
    const refusal = initiationRefusal(this.#user.userId, message);
    if (refusal) return [errorMessage(refusal, message.id)];
    const { idempotencyKey: key, calleeIds: callees, callType, sdp: offer = null } = message;
    const fresh = uuidv7(Date.now(), crypto.getRandomValues(new Uint8Array(10)));
    const verdict = this.#step({ type: "initiate", key, initiation: { callId: fresh, calleeIds: callees, callType } });
    if (verdict.kind === "refused") return [errorMessage(verdict.refusal, message.id)];
    const deduplicated = verdict.kind === "duplicate";
    const callId = deduplicated ? verdict.callId : fresh;
    const caller = { userId: this.#user.userId, name: this.#user.profile?.name ?? "", deviceId };
    const created = await this.#outgoing.create({ callId, callType, caller, callees, offer }, key);
    if (!created.ok) return [errorMessage(created.refusal, message.id)];
    const re = message.id === undefined ? {} : { re: message.id };
    const reply = { type: "call_initiated" as const, ...re, callId, deduplicated };
    return this.#initiated(socket, { userId: caller.userId, deviceId }, reply);
  }

  /** A device hears nothing of its call before this reply, so what has happened meanwhile follows it. */
  async #initiated(
    socket: WebSocket,
    device: DeviceRef,
    reply: Omit<ServerMessageOf<"call_initiated">, "rev" | "state">,
  ): Promise<ServerMessage[]> {
    const { callId } = reply;
    const view = this.#user.calls[callId] ?? (await this.env.CALLS.getByName(callId).attend(device));
    if (!view) return [errorMessage({ code: "call_not_found", message: "no such call" }, reply.re)];
    send(socket, [{ ...reply, rev: view.rev, state: view.state }]);
    this.#sockets.introduce(socket, view);
    this.#sockets.announce(view, Date.now());
    return [];
  }

  async #inCall(deviceId: string, message: InCallMessage): Promise<ServerMessage[]> {
    if (message.type === "call_alerting") return this.#alerting(deviceId, message);
    return this.#forward(deviceId, message);
  }

  /** Devices alert together, so the mark is set before the call has replied, and taken back if it refused. */
  async #alerting(deviceId: string, message: InCallMessage): Promise<ServerMessage[]> {
    const { callId } = message;
    if (this.#alerted.has(callId)) return [];
    this.#alerted.add(callId);
    const replies = await this.#forward(deviceId, message).catch((error: unknown) => {
      this.#alerted.delete(callId);
      throw error;
    });
    if (replies.length > 0) this.#alerted.delete(callId);
    return replies;
  }

  async #forward(deviceId: string, message: InCallMessage): Promise<ServerMessage[]> {
    const from = { userId: this.#user.userId, deviceId, name: this.#user.profile?.name };
    return this.env.CALLS.getByName(message.callId).command(from, message);
  }

  async #watch(socket: WebSocket, { userIds }: PresenceWatch): Promise<ServerMessage[]> {
    this.#sockets.watch(socket, userIds);
    const { userId } = this.#user;
    const presences = await Promise.all(userIds.map((id) => this.env.USERS.getByName(id).watch(userId)));
    return presences.map((presence) => ({ type: "presence", ...presence }));
  }

  #step(event: machine.Event): machine.Verdict {
    const before = this.#user;
    const { user, verdict } = machine.step(before, event, Date.now());
    this.#user = user;
    this.#arm();
    if (machine.isCommit(before, user)) this.ctx.storage.kv.put("user", user);
    if (before.outbox !== user.outbox) this.#tellLedger(before.outbox);
    if (machine.isOnline(before) !== machine.isOnline(user)) this.#tellWatchers();
    return verdict;
  }

  /** A device whose socket closed, or became another device's, is gone unless it has a newer one. */
  #left(deviceId: string | null): void {
    if (deviceId !== null && !this.#sockets.of(deviceId)) this.#step({ type: "gone", deviceId, at: Date.now() });
  }

  /** Devices whose sockets have fallen silent are gone as of their last sign of life. */
  #sweep(): void {
    const alive = new Set(this.#sockets.alive(Date.now()));
    for (const [deviceId, device] of Object.entries(this.#user.devices)) {
      if (device.connectedAt === null || alive.has(deviceId)) continue;
      const at = Math.max(device.connectedAt, this.#sockets.lastSign(deviceId));
      this.#step({ type: "gone", deviceId, at });
    }
  }

  #arm(): void {
    this.#alarm.arm(machine.nextDeadline(this.#user, this.#ledgerRetryMs));
  }

  #tellLedger(told: User["outbox"]): void {
    const events = Object.entries(this.#user.outbox).flatMap(([key, event]) => (told[key] === event ? [] : [event]));
    if (events.length === 0) return;
    const sent = this.env.LEDGER.sendBatch(events.map((body) => ({ body })));
    this.ctx.waitUntil(sent.catch((error: unknown) => log("ledger_unreachable", { failure: failure(error) })));
    this.#step({ type: "ledger_told" });
  }

  #tellWatchers(): void {
    for (const watcher of Object.keys(this.#user.watchers)) this.ctx.waitUntil(this.#tellWatcher(watcher));
  }

  async #tellWatcher(watcher: string): Promise<void> {
    try {
      const watches = await this.env.USERS.getByName(watcher).presenceChanged(presenceOf(this.#user, Date.now()));
      this.#step({ type: watches ? "watched" : "unwatched", by: watcher });
    } catch (error) {
      log("watcher_unreachable", { user: short(watcher), failure: failure(error) });
    }
  }

  get #ledgerRetryMs(): number {
    return Number(this.env.LEDGER_RETRY_SECONDS) * 1000;
  }
}

/** A device that connects while its user is rung rings too, if there is time to react. */
function lateRing(view: CallView, now: number): readonly ServerMessage[] {
  const rings = view.role === "callee" && (view.state === "reaching" || view.state === "ringing");
  return rings && view.ringUntil - now >= LATE_RING_MIN_MS ? incoming(view, now) : [];
}
