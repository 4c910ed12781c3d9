import { DurableObject } from "cloudflare:workers";
import {
  type ClientMessage,
  type InCallMessage,
  parseClientFrame,
  type TokenRefresh,
} from "../../schema/client-messages.ts";
import type { DeviceRef } from "../../schema/ids.ts";
import type { ServerMessage } from "../../schema/server-messages.ts";
import { Alarm } from "../alarm.ts";
import { FloodGuard } from "../flood-guard.ts";
import { failure, log, short } from "../log.ts";
import { CallRoom, isRoomMessage, isRoomRequest } from "../room/call-room.ts";
import type { Answered, CallRpc, Created } from "../rpc.ts";
import { answerClose, errorMessage, identityOf, REGISTER_FIRST, send } from "../socket.ts";
import { whereaboutsOf } from "../whereabouts.ts";
import * as machine from "./call.ts";
import { attachment, CallSockets } from "./call-sockets.ts";
import { commandOf } from "./commands.ts";
import { isAtRest, isCallerAwaited, isExpired, isLedgerOverdue, isSignNeeded, nextDeadline } from "./deadlines.ts";
import { Delivery } from "./delivery.ts";
import {
  type Command,
  type Create,
  DONE,
  type Event,
  NO_SUCH_CALL,
  NOT_FOUND,
  type Speaker,
  type Verdict,
} from "./events.ts";
import { IceBuffers } from "./ice-buffers.ts";
import { ledgerEvent } from "./ledger-event.ts";
import { MediaReports, reportOf } from "./media-reports.ts";
import { milestone } from "./milestones.ts";
import { Post } from "./post.ts";
import { Registration } from "./registration.ts";
import { Relay } from "./relay.ts";
import { answered, replies } from "./replies.ts";
import { isToNobody } from "./ringing.ts";
import { Signs } from "./signs.ts";
import type { Call, CallView, Merge } from "./state.ts";
import { viewFor } from "./view.ts";
import { isCommit, written } from "./writing.ts";

/**
 * One call: the shell around the state machine of `call.ts`. It loads, steps, writes what was
 * decided, and only then says it.
 */
export class CallObject extends DurableObject<Env> implements CallRpc {
  #call: Call | null;
  readonly #alarm: Alarm;
  readonly #sockets: CallSockets;
  readonly #ice: IceBuffers;
  readonly #reports: MediaReports;
  readonly #post: Post;
  readonly #relay: Relay;
  readonly #signs: Signs;
  readonly #delivery: Delivery;
  readonly #registration: Registration;
  readonly #room: CallRoom;
  readonly #flood = new FloodGuard();
  readonly #ledgerRetryMs: number;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#ledgerRetryMs = Number(env.LEDGER_RETRY_SECONDS) * 1000;
    this.#call = ctx.storage.kv.get<Call>("call") ?? null;
    this.#sockets = new CallSockets(ctx);
    this.#ice = new IceBuffers(ctx.storage.kv, this.#sockets);
    this.#reports = new MediaReports(ctx.storage.kv, this.#sockets);
    this.#post = new Post(ctx, env.USERS, this.#sockets, () => this.#call);
    this.#relay = new Relay(this.#post, this.#ice, {
      peer: (from) => this.#room.pairedWith(from),
      connectionId: () => this.#room.pairConnectionId,
    });
    this.#signs = new Signs(env.USERS, this.#sockets);
    const view = (userId: string) => this.#view(userId);
    const step = (event: Event) => this.#step(event);
    this.#registration = new Registration(env, this.#sockets, this.#post, { view, step });
    this.#delivery = new Delivery(env.USERS, { view, step, heard: (userId) => this.#call?.heard[userId] });
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
    this.#alarm = new Alarm(ctx);
    this.#room = new CallRoom(ctx, env, {
      call: () => this.#call,
      tell: (device, message) => this.#post.tell(device, message),
      hangUp: (device) => this.#sockets.hangUp(device),
      arm: () => this.#arm(null),
      parties: () => this.#sockets.parties(),
      party: (device) => this.#sockets.party(device),
    });
  }

  async create(input: Create): Promise<Created> {
    const isNew = this.#call === null;
    if (isNew) {
      this.#call = machine.create(input, Date.now());
      this.#relay.holdBack(this.#call, input.offer);
      this.#arm(null);
      this.#write();
    }
    await Promise.all(input.callees.map((userId) => this.#delivery.tell(userId)));
    if (this.#call && isToNobody(this.#call)) await this.#forget();
    const view = this.#view(input.caller.userId);
    if (!this.#call || !view) {
      return { ok: false, refusal: { code: "callee_unknown", message: "the callee is not known here" } };
    }
    if (isNew) {
      log("call_created", { call: short(input.callId), type: input.callType });
      this.#tellLedger();
    }
    const unknown = this.#call.participants.filter(({ isUnknown }) => isUnknown);
    return { ok: true, view, unknownIds: unknown.map(({ userId }) => userId) };
  }

  async abandon(from: DeviceRef): Promise<void> {
    this.#step({ type: "command", from, command: { type: "end" } });
  }

  async command(from: Speaker, message: InCallMessage): Promise<ServerMessage[]> {
    const answers = this.#handle(from, message);
    return this.#sockets.send(from, answers) ? [] : answers;
  }

  /** What a device has done over HTTP its sockets hear as they would hear the reply; that it was refused, they do not. */
  async ask(from: Speaker, message: InCallMessage): Promise<Answered> {
    const verdict = this.#obey(from, message);
    const events = verdict.kind === "done" ? this.#replies(from, message, verdict) : [];
    for (const event of events) this.#post.tell(from, event);
    return answered(this.#view(from.userId), verdict);
  }

  async decline(userId: string): Promise<Answered> {
    const verdict = this.#step({ type: "declined", userId });
    return answered(this.#view(userId), verdict);
  }

  async attend(device: DeviceRef, mayRing: boolean): Promise<CallView | null> {
    this.#step({ type: "connected", device, mayRing });
    this.#post.returned(device);
    return this.look(device.userId);
  }

  async look(userId: string): Promise<CallView | null> {
    return this.#view(userId) ?? null;
  }

  async disconnected(device: DeviceRef): Promise<void> {
    if (!this.#sockets.of(device)) this.#step({ type: "disconnected", device });
  }

  async unreached(userId: string, deviceIds: readonly string[]): Promise<void> {
    this.#step({ type: "unreached", userId, deviceIds });
  }

  async merge(into: Merge): Promise<boolean> {
    return this.#step({ type: "merge", into }).kind === "done";
  }

  async ledgerConfirmed(rev: number): Promise<void> {
    this.#step({ type: "ledger_confirmed", rev });
  }

  override async fetch(request: Request): Promise<Response> {
    if (isRoomRequest(request)) return this.#room.accept(request);
    const identity = identityOf(request);
    if (!this.#view(identity.userId)) return Response.json({ error: NO_SUCH_CALL }, { status: 404 });
    return this.#sockets.accept(identity, whereaboutsOf(request));
  }

  /** Nothing but a new token is waited for: what a reply says is how things stand when it is sent. */
  override async webSocketMessage(socket: WebSocket, frame: string | ArrayBuffer): Promise<void> {
    if (this.#room.has(socket)) return this.#room.hear(socket, frame);
    if (!this.#flood.admits(socket, Date.now())) return;
    const parsed = parseClientFrame(frame);
    if (!parsed.ok) send(socket, [errorMessage(parsed.refusal, parsed.re)]);
    else if (parsed.message.type === "token_refresh")
      send(socket, await this.#registration.refresh(socket, parsed.message));
    else send(socket, this.#respond(socket, parsed.message));
  }

  override webSocketClose(socket: WebSocket, code: number): void {
    if (this.#room.has(socket)) {
      this.#room.closed(socket, code);
      return;
    }
    if (this.#call?.phase.kind === "ringing") this.#ice.spill(socket);
    if (this.#call?.phase.kind !== "ended") this.#reports.spill(socket);
    answerClose(socket, code);
    const { identity, deviceId } = attachment(socket);
    if (deviceId === null) return;
    const device = { userId: identity.userId, deviceId };
    if (!this.#sockets.of(device)) this.#step({ type: "disconnected", device });
  }

  override webSocketError(socket: WebSocket): void {
    this.webSocketClose(socket, 1006);
  }

  override async alarm(): Promise<void> {
    this.#alarm.fired();
    this.#sockets.expire(Date.now());
    if (!this.#call) return;
    this.#room.timePassed();
    await this.#delivery.catchUp(this.#call);
    const lastSignAt = isSignNeeded(this.#call, Date.now()) ? await this.#signs.last(this.#call) : 0;
    const isCallerThere = isCallerAwaited(this.#call, Date.now()) ? await this.#signs.isThere(this.#call.caller) : true;
    this.#step({ type: "alarm", lastSignAt, isCallerThere });
    const now = Date.now();
    if (isLedgerOverdue(this.#call, now, this.#ledgerRetryMs)) this.#tellLedger();
    if (isExpired(this.#call, now)) await this.#forget();
  }

  #respond(socket: WebSocket, message: Exclude<ClientMessage, TokenRefresh>): ServerMessage[] {
    const { identity, deviceId } = attachment(socket);
    switch (message.type) {
      case "register":
        return this.#registration.register(socket, message);
      case "call_initiate":
      case "presence_watch":
        return [errorMessage({ code: "unsupported", message: "send this on the user socket" }, message.id)];
    }
    if (deviceId === null) return [errorMessage(REGISTER_FIRST, message.id)];
    if (message.callId === this.#call?.callId) {
      return this.#handle({ userId: identity.userId, deviceId, name: identity.name ?? undefined }, message);
    }
    return replies({ message, deviceId, view: undefined }, NOT_FOUND, Date.now());
  }

  #handle(from: Speaker, message: InCallMessage): ServerMessage[] {
    return this.#replies(from, message, this.#obey(from, message));
  }

  #replies({ userId, deviceId }: Speaker, message: InCallMessage, verdict: Verdict): ServerMessage[] {
    return replies({ message, deviceId, view: this.#view(userId) }, verdict, Date.now());
  }

  #obey(from: Speaker, message: InCallMessage): Verdict {
    if (this.#room.pairUp(from, message)) return DONE;
    const command = commandOf(message);
    if (command) return this.#heard(from, message, this.#command(from, command));
    if (!this.#call) return NOT_FOUND;
    if (isRoomMessage(message)) return this.#room.ask(from, message);
    return this.#relay.carry(this.#call, from, message);
  }

  /** From who is in the call alone: else anybody could fill it up. */
  #heard(from: Speaker, message: InCallMessage, verdict: Verdict): Verdict {
    if (message.type === "call_media" && verdict.kind === "done") this.#reports.keep(from, reportOf(message));
    return verdict;
  }

  #command(from: Speaker, command: Command): Verdict {
    const lost = command.type === "media" && command.state !== "connected" ? command.state : null;
    if (lost && this.#room.pathLost(from, lost === "failed")) return DONE;
    const verdict = this.#step({ type: "command", from, command });
    if (this.#call && command.type === "handoff") this.#relay.handoff(this.#call, from, command.sdp, verdict);
    return verdict;
  }

  /** Decides, writes what was decided, then tells everybody whom it concerns. */
  #step(event: Event): Verdict {
    const before = this.#call;
    if (!before) return NOT_FOUND;
    const { call, verdict } = machine.step(before, event, Date.now());
    this.#call = call;
    this.#arm(before);
    if (isCommit(before, call)) this.#write();
    this.#room.callChanged();
    // Whom it cannot reach the alarm tells again: two of them would have each other tried without a pause.
    if (event.type !== "delivery_failed") this.#announce(before, call);
    return verdict;
  }

  /** In one turn with the alarm, so that the two are one transaction. */
  #write(): void {
    if (this.#call)
      this.ctx.storage.kv.put(
        "call",
        written(this.#call, (userId) => this.#delivery.hasNews(userId)),
      );
  }

  #arm(before: Call | null): void {
    const call = this.#call;
    if (!call) return;
    const deadline = nextDeadline(call, Date.now(), this.#ledgerRetryMs);
    const others = Math.min(this.#sockets.leaseDeadline(), this.#room.deadline);
    this.#alarm.arm(Math.min(deadline, others), before !== null && isAtRest(before, call));
  }

  #announce(before: Call, call: Call): void {
    this.#sockets.announce((userId) => this.#view(userId), Date.now());
    for (const { userId } of call.participants) this.ctx.waitUntil(this.#delivery.tell(userId));
    if (before.phase.kind === "ringing" && call.phase.kind === "connecting" && call.isPair)
      this.#relay.connect(call, call.phase.answer.by);
    const reached = milestone(before, call);
    if (reached) log("call_phase", { call: short(call.callId), ...reached });
    if (before.ledger.due !== call.ledger.due) this.#tellLedger();
  }

  #tellLedger(): void {
    if (!this.#call) return;
    const told = this.env.LEDGER.send(ledgerEvent(this.#call, (device) => this.#reports.of(device)));
    this.ctx.waitUntil(told.catch((error: unknown) => log("ledger_unreachable", { failure: failure(error) })));
    this.#call = machine.step(this.#call, { type: "ledger_told" }, Date.now()).call;
    this.#arm(null);
  }

  #view(userId: string): CallView | undefined {
    const call = this.#call;
    return call ? viewFor(call, userId, this.#sockets.devicesOf(userId), this.#room.view(userId)) : undefined;
  }

  async #forget(): Promise<void> {
    this.#call = null;
    this.#sockets.closeAll();
    await this.#alarm.disarm();
    await this.ctx.storage.deleteAll();
  }
}
