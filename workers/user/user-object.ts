import { DurableObject } from "cloudflare:workers";
import {
  type ClientMessage,
  type InCallMessage,
  type PresenceWatch,
  parseClientFrame,
  type Register,
  type TokenRefresh,
} from "../../schema/client-messages.ts";
import type { BlocksResponse, DevicesResponse, PresenceResponse, Settings } from "../../schema/http.ts";
import type { PushTarget } from "../../schema/push.ts";
import type { PushToken } from "../../schema/push-token.ts";
import type { ServerMessage } from "../../schema/server-messages.ts";
import { Alarm } from "../alarm.ts";
import type { CallView } from "../call/state.ts";
import { rings } from "../call/told.ts";
import { renewal } from "../expiry.ts";
import { FloodGuard } from "../flood-guard.ts";
import { failure, log, short } from "../log.ts";
import type { Confirmation, Taken, UserRpc } from "../rpc.ts";
import { answerClose, CLOSE_REMOVED, close, errorMessage, identityOf, REGISTER_FIRST, send } from "../socket.ts";
import { Arrivals } from "./arrivals.ts";
import { crossings } from "./calls.ts";
import { Outgoing } from "./outgoing.ts";
import { Privacy } from "./privacy.ts";
import { Pushes, pushTargets } from "./pushes.ts";
import { Registration } from "./registration.ts";
import { Ringing } from "./ringing.ts";
import type { Change, UserSettings } from "./settings.ts";
import type { Profile, User } from "./state.ts";
import { devicesOf, presenceOf } from "./status.ts";
import * as machine from "./user.ts";
import { attachment, UserSockets } from "./user-sockets.ts";
import { Watchers } from "./watchers.ts";

/**
 * One user: the shell around the state machine of `user.ts`. It knows the user's devices, rings
 * them, and passes what they say of a call on to that call's object.
 */
export class UserObject extends DurableObject<Env> implements UserRpc {
  #user: User;
  readonly #alarm: Alarm;
  readonly #sockets: UserSockets;
  readonly #outgoing: Outgoing;
  readonly #privacy: Privacy;
  readonly #ringing: Ringing;
  readonly #watchers: Watchers;
  readonly #flood = new FloodGuard();
  readonly #registration: Registration;
  readonly #arrivals = new Arrivals();

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#user = ctx.storage.kv.get<User>("user") ?? machine.newUser(ctx.id.name ?? "");
    this.#privacy = new Privacy(ctx.storage.kv);
    this.#sockets = new UserSockets(ctx);
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
    const user = () => this.#user;
    const step = (event: machine.Event) => this.#step(event);
    this.#ringing = new Ringing(this.#sockets, new Pushes(env.PUSHES), this.#privacy, {
      user,
      step,
      look: (callId) => env.CALLS.getByName(callId).look(this.#user.userId),
      waitUntil: (work) => ctx.waitUntil(work),
    });
    this.#outgoing = new Outgoing(ctx, env, this.#sockets, this.#ringing, { user, step });
    this.#watchers = new Watchers(ctx, env.USERS, {
      watchers: () => Object.keys(this.#user.watchers),
      isBlocked: (watcher) => this.#privacy.isBlocked(watcher),
      presence: (viewerId) => this.#presenceFor(viewerId),
      step,
    });
    this.#registration = new Registration(env.CALLS, this.#sockets, { user, step });
    this.#alarm = new Alarm(ctx);
  }

  override async fetch(request: Request): Promise<Response> {
    return this.#sockets.accept(identityOf(request), Date.now());
  }

  override async webSocketMessage(socket: WebSocket, frame: string | ArrayBuffer): Promise<void> {
    if (!this.#flood.admits(socket, Date.now())) return;
    const parsed = parseClientFrame(frame);
    if (!parsed.ok) {
      send(socket, [errorMessage(parsed.refusal, parsed.re)]);
      return;
    }
    const { message } = parsed;
    this.#sockets.touch(socket, Date.now());
    const answered = this.#answer(socket, message);
    if (message.type === "register") this.#arrivals.add(message.deviceId, answered);
    await answered;
  }

  async #answer(socket: WebSocket, message: ClientMessage): Promise<void> {
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
    this.#sockets.expire(now);
    this.#sweep();
    this.#step({ type: "swept" });
    await this.#watchers.refresh(machine.staleWatchers(this.#user, now));
    if (machine.isOutboxOverdue(this.#user, now, this.#ledgerRetryMs)) this.#tellLedgerAgain();
    this.#arm();
  }

  async callChanged(view: CallView): Promise<Taken> {
    return this.#ringing.take(view);
  }

  async deliver(deviceId: string, messages: ServerMessage[]): Promise<boolean> {
    await this.#arrivals.of(deviceId);
    const socket = this.#sockets.of(deviceId);
    if (socket) send(socket, messages);
    return socket !== undefined;
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
    this.#step({ type: "removed", deviceId, at: this.#sockets.lastSign(deviceId) });
    if (socket) close(socket, CLOSE_REMOVED, "this device was removed");
    return known;
  }

  /** @returns whether there is such a device */
  async setPushToken(deviceId: string, push: PushToken): Promise<boolean> {
    this.#step({ type: "push_token", deviceId, push });
    return this.#user.devices[deviceId] !== undefined;
  }

  /** @returns whether there is such a device */
  async setDoNotDisturb(deviceId: string, on: boolean): Promise<boolean> {
    this.#step({ type: "do_not_disturb", deviceId, on });
    return this.#user.devices[deviceId] !== undefined;
  }

  async blocks(): Promise<BlocksResponse> {
    return this.#privacy.blocks;
  }

  async rules(): Promise<UserSettings> {
    return this.#privacy.rules;
  }

  async settings(): Promise<Settings> {
    return this.#privacy.settings;
  }

  /** @returns false when the list that it concerns is full */
  async changeSettings(asked: Change): Promise<boolean> {
    this.#sweep();
    const now = Date.now();
    const lastSeen = machine.isOnline(this.#user) ? now : this.#user.lastSeen;
    const isDone = this.#privacy.change(asked.type === "block" ? { ...asked, lastSeen } : asked, now);
    const isAboutPresence = asked.type === "block" || asked.type === "unblock";
    if (isAboutPresence && asked.userId in this.#user.watchers) await this.#watchers.tell(asked.userId);
    return isDone;
  }

  async pushTargets(callId: string, deviceIds: readonly string[]): Promise<PushTarget[]> {
    return pushTargets(this.#user, deviceIds, this.#sockets.alerting(callId));
  }

  async tokenDied(deviceId: string, token: string): Promise<void> {
    this.#step({ type: "token_died", deviceId, token });
  }

  async presence(viewerId: string): Promise<PresenceResponse> {
    this.#sweep();
    return this.#presenceFor(viewerId);
  }

  async watch(watcherId: string): Promise<PresenceResponse> {
    this.#sweep();
    if (machine.isKnown(this.#user)) this.#step({ type: "watched", by: watcherId });
    return this.#presenceFor(watcherId);
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

  #presenceFor(viewerId: string): PresenceResponse {
    return this.#privacy.presenceFor(viewerId, presenceOf(this.#user, Date.now()));
  }

  async #respond(socket: WebSocket, message: ClientMessage): Promise<ServerMessage[]> {
    if (message.type === "register") return this.#register(socket, message);
    const { deviceId } = attachment(socket);
    if (deviceId === null) return [errorMessage(REGISTER_FIRST, message.id)];
    switch (message.type) {
      case "call_initiate":
        return this.#outgoing.initiate(socket, deviceId, message);
      case "presence_watch":
        return this.#watch(socket, message);
      case "token_refresh":
        return this.#refresh(socket, message);
      case "call_alerting":
        return this.#alerting(socket, deviceId, message);
      default:
        return this.#forward(deviceId, message);
    }
  }

  async #register(socket: WebSocket, message: Register): Promise<ServerMessage[]> {
    const { deviceId: former } = attachment(socket);
    const wasOnline = machine.isOnline(this.#user);
    const answers = await this.#registration.register(socket, message);
    if (!wasOnline && machine.isOnline(this.#user)) log("user_online", { user: short(this.#user.userId) });
    if (former !== message.deviceId) this.#left(former);
    this.#arm();
    return answers;
  }

  async #refresh(socket: WebSocket, message: TokenRefresh): Promise<ServerMessage[]> {
    const { lease, reply } = await renewal(this.#user.userId, message, this.env);
    if (lease) this.#sockets.renew(socket, lease);
    this.#arm();
    return [reply];
  }

  /** Only a call's first alerting goes on; of a refused one it is as if it had not been said. */
  async #alerting(socket: WebSocket, deviceId: string, message: InCallMessage): Promise<ServerMessage[]> {
    const { callId } = message;
    const isFirst = this.#sockets.alerting(callId).size === 0;
    this.#sockets.markAlerting(socket, callId, true);
    if (!isFirst) return [];
    const replies = await this.#forward(deviceId, message).catch((error: unknown) => {
      this.#sockets.markAlerting(socket, callId, false);
      throw error;
    });
    if (replies.length > 0) this.#sockets.markAlerting(socket, callId, false);
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
    if (machine.isOnline(before) !== machine.isOnline(user)) this.#watchers.tellAll();
    if (before.calls !== user.calls) this.#giveWay();
    return verdict;
  }

  #giveWay(): void {
    for (const crossing of crossings(this.#user, Date.now())) {
      this.ctx.waitUntil(this.#outgoing.giveWay(crossing, this.#user.userId));
    }
  }

  /** A device whose socket closed, or became another device's, is gone unless it has a newer one. */
  #left(deviceId: string | null): void {
    if (deviceId === null || this.#sockets.of(deviceId)) return;
    this.#step({ type: "gone", deviceId, at: Date.now() });
    if (!machine.isOnline(this.#user)) log("user_offline", { user: short(this.#user.userId) });
    for (const view of Object.values(this.#user.calls)) {
      if (view?.role !== "caller" || !rings(view.state) || !view.joined.includes(deviceId)) continue;
      const device = { userId: this.#user.userId, deviceId };
      const told = this.env.CALLS.getByName(view.callId).disconnected(device);
      this.ctx.waitUntil(told.catch((error: unknown) => log("caller_lost_untold", { failure: failure(error) })));
    }
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
    const deadlines = [machine.nextDeadline(this.#user, this.#ledgerRetryMs), this.#sockets.leaseDeadline()];
    const next = Math.min(...deadlines.map((deadline) => deadline ?? Number.POSITIVE_INFINITY));
    this.#alarm.arm(Number.isFinite(next) ? next : null);
  }

  #tellLedger(told: User["outbox"]): void {
    const events = Object.entries(this.#user.outbox).flatMap(([key, event]) => (told[key] === event ? [] : [event]));
    if (events.length === 0) return;
    const sent = this.env.LEDGER.sendBatch(events.map((body) => ({ body })));
    this.ctx.waitUntil(sent.catch((error: unknown) => log("ledger_unreachable", { failure: failure(error) })));
  }

  #tellLedgerAgain(): void {
    this.#step({ type: "ledger_told" });
    this.#tellLedger({});
  }

  get #ledgerRetryMs(): number {
    return Number(this.env.LEDGER_RETRY_SECONDS) * 1000;
  }
}
