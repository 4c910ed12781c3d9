import { DurableObject } from "cloudflare:workers";
import { parseClientFrame } from "../../schema/client-messages.ts";
import type { BlocksResponse, DevicesResponse, PresenceResponse, Settings } from "../../schema/http.ts";
import type { PushTarget } from "../../schema/push.ts";
import type { PushToken } from "../../schema/push-token.ts";
import type { ServerMessage } from "../../schema/server-messages.ts";
import { Alarm } from "../alarm.ts";
import type { CallView } from "../call/state.ts";
import { FloodGuard } from "../flood-guard.ts";
import type { Confirmation, Taken, UserRpc } from "../rpc.ts";
import { answerClose, CLOSE_REMOVED, close, errorMessage, identityOf, send } from "../socket.ts";
import { Arrivals } from "./arrivals.ts";
import type { Core } from "./core.ts";
import { Departures } from "./departures.ts";
import { Messages } from "./messages.ts";
import { Outbox } from "./outbox.ts";
import { Outgoing } from "./outgoing.ts";
import { Privacy } from "./privacy.ts";
import { Pushes, pushTargets } from "./pushes.ts";
import { Registration } from "./registration.ts";
import { Ringing } from "./ringing.ts";
import { loaded, stored } from "./row.ts";
import type { Change, UserSettings } from "./settings.ts";
import type { Profile, User } from "./state.ts";
import { devicesOf, presenceOf } from "./status.ts";
import { Tidying } from "./tidying.ts";
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
  #isWoken = false;
  readonly #flood = new FloodGuard();
  readonly #arrivals = new Arrivals();
  readonly #sockets: UserSockets;
  readonly #privacy: Privacy;
  readonly #outbox: Outbox;
  readonly #ringing: Ringing;
  readonly #outgoing: Outgoing;
  readonly #departures: Departures;
  readonly #tidying: Tidying;
  readonly #watchers: Watchers;
  readonly #messages: Messages;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#user = loaded(ctx.id.name ?? "", ctx.storage.kv.get<User>("user"));
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
    const core = this.#core();
    const sockets = new UserSockets(ctx);
    this.#sockets = sockets;
    this.#privacy = new Privacy(ctx.storage.kv);
    this.#outbox = new Outbox(env.LEDGER, core, this.#ledgerRetryMs);
    this.#ringing = new Ringing(sockets, new Pushes(env.PUSHES), this.#privacy, core);
    const outgoing = new Outgoing(env, sockets, this.#ringing, core);
    const departures = new Departures(env.CALLS, sockets, core);
    this.#outgoing = outgoing;
    this.#departures = departures;
    this.#tidying = new Tidying(core);
    this.#watchers = new Watchers(ctx, env.USERS, {
      watchers: () => Object.keys(this.#user.watchers),
      isBlocked: (watcher) => this.#privacy.isBlocked(watcher),
      presence: (viewerId) => this.#presenceFor(viewerId),
      step: core.step,
    });
    const registration = new Registration(env.CALLS, sockets, core);
    this.#messages = new Messages(env, core, { sockets, registration, outgoing, departures });
    this.#alarm = new Alarm(ctx);
  }

  #core(): Core {
    return {
      user: () => this.#user,
      step: (event) => this.#step(event),
      look: (callId) => this.#look(callId),
      waitUntil: (work) => this.ctx.waitUntil(work),
      arm: () => this.#arm(),
    };
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
    const answered = this.#messages.take(socket, message);
    if (message.type === "register") this.#arrivals.add(message.deviceId, answered);
    await answered;
  }

  override webSocketClose(socket: WebSocket, code: number): void {
    answerClose(socket, code);
    this.#departures.left(attachment(socket).deviceId);
  }

  override webSocketError(socket: WebSocket): void {
    this.webSocketClose(socket, 1006);
  }

  /** What is due at one time is due together: armed in between, the alarm would fire for what is just being done. */
  override async alarm(): Promise<void> {
    this.#alarm.fired();
    this.#isWoken = true;
    try {
      await this.#wake(Date.now());
    } finally {
      this.#isWoken = false;
      this.#arm();
    }
  }

  async #wake(now: number): Promise<void> {
    this.#sockets.expire(now);
    this.#departures.sweep();
    this.#step({ type: "swept" });
    this.#outbox.tellAgain(now);
    await this.#outgoing.abandonOverdue(now);
    await this.#watchers.refresh(machine.staleWatchers(this.#user, now));
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
    this.#departures.sweep();
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
    this.#departures.sweep();
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
    this.#departures.sweep();
    return this.#presenceFor(viewerId);
  }

  async watch(watcherId: string): Promise<PresenceResponse> {
    this.#departures.sweep();
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

  async #look(callId: string): Promise<CallView | null> {
    const view = await this.env.CALLS.getByName(callId).look(this.#user.userId);
    this.#step(view ? { type: "call_changed", view } : { type: "call_unknown", callId });
    return view;
  }

  #presenceFor(viewerId: string): PresenceResponse {
    return this.#privacy.presenceFor(viewerId, presenceOf(this.#user, Date.now()));
  }

  #step(event: machine.Event): machine.Verdict {
    const before = this.#user;
    const { user, verdict } = machine.step(before, event, Date.now());
    this.#user = user;
    this.#arm();
    if (machine.isCommit(before, user)) this.ctx.storage.kv.put("user", stored(user));
    if (before.outbox !== user.outbox) this.#outbox.tell(before.outbox);
    if (machine.isOnline(before) !== machine.isOnline(user)) this.#watchers.tellAll();
    if (before.calls !== user.calls) this.#outgoing.giveWay();
    if (before.calls !== user.calls) this.#tidying.begin();
    return verdict;
  }

  #arm(): void {
    if (this.#isWoken) return;
    const deadlines = [machine.nextDeadline(this.#user, this.#ledgerRetryMs), this.#sockets.leaseDeadline()];
    const next = Math.min(...deadlines.map((deadline) => deadline ?? Number.POSITIVE_INFINITY));
    this.#alarm.arm(Number.isFinite(next) ? next : null);
  }

  get #ledgerRetryMs(): number {
    return Number(this.env.LEDGER_RETRY_SECONDS) * 1000;
  }
}
