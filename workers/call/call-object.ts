import { DurableObject } from "cloudflare:workers";
import { type InCallMessage, parseClientFrame, type Register } from "../../schema/client-messages.ts";
import type { DeviceRef } from "../../schema/ids.ts";
import type { ServerMessage } from "../../schema/server-messages.ts";
import { Alarm } from "../alarm.ts";
import { failure, log, short } from "../log.ts";
import type { CallRpc, Created } from "../rpc.ts";
import { answerClose, errorMessage, identityOf, REGISTER_FIRST, registered, send } from "../socket.ts";
import * as machine from "./call.ts";
import { attachment, CallSockets } from "./call-sockets.ts";
import { isAtRest, isExpired, isLedgerOverdue, isSignNeeded, nextDeadline } from "./deadlines.ts";
import { IceBuffers } from "./ice-buffers.ts";
import { ledgerEvent } from "./ledger-event.ts";
import { answerOf } from "./people.ts";
import { Relay } from "./relay.ts";
import { replies } from "./replies.ts";
import type { Call, CallView } from "./state.ts";
import { concerns, snapshotOf, viewFor } from "./view.ts";

/**
 * One call: the shell around the state machine of `call.ts`. It loads, steps, writes what was
 * decided, and only then says it.
 */
export class CallObject extends DurableObject<Env> implements CallRpc {
  #call: Call | null;
  readonly #alarm: Alarm;
  readonly #sockets: CallSockets;
  readonly #ice: IceBuffers;
  readonly #relay: Relay;
  /** Users whose object is being told; one at a time, so that what they hear is in order. */
  readonly #telling = new Set<string>();

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#call = ctx.storage.kv.get<Call>("call") ?? null;
    this.#sockets = new CallSockets(ctx);
    this.#ice = new IceBuffers(ctx.storage.kv, this.#sockets);
    this.#relay = new Relay(ctx, env.USERS, this.#sockets, this.#ice);
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
    this.#alarm = new Alarm(ctx);
  }

  async create(input: machine.Create): Promise<Created> {
    const isNew = this.#call === null;
    if (isNew) {
      this.#call = machine.create(input, Date.now());
      this.#arm(null);
      this.#write();
      log("call_created", { call: short(input.callId), type: input.callType });
    }
    await Promise.all(input.callees.map((userId) => this.#tell(userId)));
    const view = this.#view(input.caller.userId);
    if (!view) return { ok: false, refusal: { code: "callee_unknown", message: "the callee is not known here" } };
    if (isNew) this.#tellLedger();
    return { ok: true, view };
  }

  async abandon(from: DeviceRef): Promise<void> {
    this.#step({ type: "command", from, command: { type: "end" } });
  }

  async command(from: machine.Speaker, message: InCallMessage): Promise<ServerMessage[]> {
    const answers = this.#handle(from, message);
    return this.#sockets.send(from, answers) ? [] : answers;
  }

  async attend(device: DeviceRef): Promise<CallView | null> {
    const view = this.#view(device.userId);
    if (!view || !this.#call) return null;
    if (view.role === "callee" && this.#call.heard[device.userId] !== undefined) {
      this.#step({
        type: "delivered",
        userId: device.userId,
        state: view.state,
        name: null,
        devices: [device.deviceId],
      });
    }
    return view;
  }

  async ledgerConfirmed(rev: number): Promise<void> {
    this.#step({ type: "ledger_confirmed", rev });
  }

  override async fetch(request: Request): Promise<Response> {
    const { userId, name } = identityOf(request);
    if (!this.#view(userId)) {
      return Response.json({ error: { code: "call_not_found", message: "no such call" } }, { status: 404 });
    }
    return this.#sockets.accept(userId, name, Date.now());
  }

  override webSocketMessage(socket: WebSocket, frame: string | ArrayBuffer): void {
    send(socket, this.#respond(socket, frame));
  }

  override webSocketClose(socket: WebSocket, code: number): void {
    if (this.#call?.phase.kind === "ringing") this.#ice.spill(socket);
    answerClose(socket, code);
  }

  override webSocketError(socket: WebSocket): void {
    this.webSocketClose(socket, 1006);
  }

  override async alarm(): Promise<void> {
    this.#alarm.fired();
    if (!this.#call) return;
    const lastSignAt = isSignNeeded(this.#call, Date.now()) ? await this.#lastSign(this.#call) : 0;
    this.#step({ type: "alarm", lastSignAt });
    const now = Date.now();
    if (isLedgerOverdue(this.#call, now, this.#ledgerRetryMs)) this.#tellLedger();
    if (isExpired(this.#call, now)) await this.#forget();
  }

  #respond(socket: WebSocket, frame: string | ArrayBuffer): ServerMessage[] {
    const parsed = parseClientFrame(frame);
    if (!parsed.ok) return [errorMessage(parsed.refusal, parsed.re)];
    const { message } = parsed;
    const { userId, name, deviceId } = attachment(socket);
    if (message.type === "register") return this.#register(socket, userId, message);
    if (message.type === "call_initiate" || message.type === "presence_watch") {
      return [errorMessage({ code: "unsupported", message: "send this on the user socket" }, message.id)];
    }
    if (deviceId === null) return [errorMessage(REGISTER_FIRST, message.id)];
    const isThisCall = message.callId === this.#call?.callId;
    return isThisCall
      ? this.#handle({ userId, deviceId, name: name ?? undefined }, message)
      : replies(message, machine.NOT_FOUND, undefined);
  }

  #register(socket: WebSocket, userId: string, { id, deviceId }: Register): ServerMessage[] {
    const view = this.#view(userId);
    if (!view) return [errorMessage({ code: "call_not_found", message: "no such call" }, id)];
    this.#sockets.register(socket, deviceId, view.state);
    const calls = [snapshotOf(view, Date.now())];
    return [registered({ userId, deviceId }, id, view.rev, calls)];
  }

  #handle(from: machine.Speaker, message: InCallMessage): ServerMessage[] {
    if (message.type === "call_sync") return this.#sync(from, message);
    return replies(message, this.#obey(from, message), this.#view(from.userId));
  }

  #obey(from: machine.Speaker, message: InCallMessage): machine.Verdict {
    if (!this.#call) return machine.NOT_FOUND;
    switch (message.type) {
      case "call_answer":
        return this.#step({ type: "command", from, command: { type: "answer", sdp: message.sdp ?? null } });
      case "call_decline":
        return this.#step({ type: "command", from, command: { type: "decline", reason: message.reason } });
      case "call_alerting":
        return this.#step({ type: "command", from, command: { type: "alerting" } });
      case "call_media":
        return this.#step({ type: "command", from, command: { type: "media", state: message.state } });
      case "call_end":
        return this.#step({ type: "command", from, command: { type: "end" } });
      case "ice_candidate":
        return this.#relay.candidates(this.#call, from, message);
      case "call_negotiate":
        return this.#relay.negotiate(this.#call, from, message);
      case "call_sync":
        return { kind: "done" };
    }
  }

  #sync(from: DeviceRef, message: InCallMessage): ServerMessage[] {
    const view = this.#view(from.userId);
    if (!view) return replies(message, machine.NOT_FOUND, view);
    return [
      { type: "call_state", ...(message.id !== undefined && { re: message.id }), ...snapshotOf(view, Date.now()) },
    ];
  }

  /** Decides, writes what was decided, then tells everybody whom it concerns. */
  #step(event: machine.Event): machine.Verdict {
    const before = this.#call;
    if (!before) return machine.NOT_FOUND;
    const { call, verdict } = machine.step(before, event, Date.now());
    this.#call = call;
    this.#arm(before);
    if (machine.isCommit(before, call)) this.#write();
    this.#announce(before, call);
    return verdict;
  }

  /** In one turn with the alarm, so that the two are one transaction. */
  #write(): void {
    this.ctx.storage.kv.put("call", this.#call);
  }

  #arm(before: Call | null): void {
    const call = this.#call;
    if (!call) return;
    const deadline = nextDeadline(call, Date.now(), this.#ledgerRetryMs);
    this.#alarm.arm(deadline, before !== null && isAtRest(before, call));
  }

  #announce(before: Call, call: Call): void {
    this.#sockets.announce((userId) => this.#view(userId), Date.now());
    for (const { userId } of call.participants) this.ctx.waitUntil(this.#tell(userId));
    if (before.phase.kind === "ringing" && call.phase.kind === "connecting")
      this.#relay.connect(call, call.phase.answer.by);
    if (before.phase.kind !== call.phase.kind) log("call_phase", { call: short(call.callId), phase: call.phase.kind });
    if (before.ledger.due !== call.ledger.due) this.#tellLedger();
  }

  /** Brings a user's object up to date; if it cannot be reached, the alarm tries again. */
  async #tell(userId: string): Promise<void> {
    if (this.#telling.has(userId)) return;
    this.#telling.add(userId);
    try {
      for (let view = this.#news(userId); view; view = this.#news(userId)) {
        const taken = await this.env.USERS.getByName(userId).callChanged(view);
        if (!taken.known) return await this.#forget();
        this.#step({ type: "delivered", userId, state: view.state, name: taken.name, devices: taken.devices });
      }
    } catch (error) {
      log("delivery_failed", { user: short(userId), failure: failure(error) });
      this.#step({ type: "delivery_failed" });
    } finally {
      this.#telling.delete(userId);
    }
  }

  #news(userId: string): CallView | undefined {
    const view = this.#view(userId);
    return view && concerns(this.#call?.heard[userId], view) ? view : undefined;
  }

  #tellLedger(): void {
    if (!this.#call) return;
    const told = this.env.LEDGER.send(ledgerEvent(this.#call));
    this.ctx.waitUntil(told.catch((error: unknown) => log("ledger_unreachable", { failure: failure(error) })));
    this.#call = machine.step(this.#call, { type: "ledger_told" }, Date.now()).call;
    this.#arm(null);
  }

  #view(userId: string): CallView | undefined {
    return this.#call ? viewFor(this.#call, userId, this.#sockets.devicesOf(userId)) : undefined;
  }

  /** Sockets answer `ping` without waking this object, so a sign of life is looked up only when it counts. */
  async #lastSign(call: Call): Promise<number> {
    const answer = answerOf(call);
    const both = answer ? [call.caller, answer.by] : [call.caller];
    const asked = both.map(({ userId, deviceId }) => this.env.USERS.getByName(userId).lastSign(deviceId));
    const signs = await Promise.all(asked.map((sign) => sign.catch(() => 0)));
    return Math.max(this.#sockets.lastSign(), ...signs);
  }

  get #ledgerRetryMs(): number {
    return Number(this.env.LEDGER_RETRY_SECONDS) * 1000;
  }

  async #forget(): Promise<void> {
    this.#call = null;
    this.#sockets.closeAll();
    await this.#alarm.disarm();
    await this.ctx.storage.deleteAll();
  }
}
