import { DurableObject } from "cloudflare:workers";
import { type InCallMessage, parseClientFrame, type Register } from "../../schema/client-messages.ts";
import type { DeviceRef } from "../../schema/ids.ts";
import type { ServerMessage } from "../../schema/server-messages.ts";
import { failure, log, short } from "../log.ts";
import type { CallRpc, Created } from "../rpc.ts";
import { close, errorMessage, identityOf, REGISTER_FIRST, registered, send } from "../socket.ts";
import * as machine from "./call.ts";
import { attachment, CallSockets } from "./call-sockets.ts";
import { IceBuffers } from "./ice-buffers.ts";
import { ledgerEvent } from "./ledger-event.ts";
import { replies } from "./replies.ts";
import type { Call, CallView } from "./state.ts";
import { concerns, snapshotOf, viewFor } from "./view.ts";

/**
 * One call: the shell around the state machine of `call.ts`. It loads, steps, writes what was
 * decided, and only then says it.
 */
export class CallObject extends DurableObject<Env> implements CallRpc {
  #call: Call | null;
  #alarmAt: number | null = null;
  readonly #sockets: CallSockets;
  readonly #ice: IceBuffers;
  /** Users whose object is being told; one at a time, so that what they hear is in order. */
  readonly #telling = new Set<string>();

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#call = ctx.storage.kv.get<Call>("call") ?? null;
    this.#sockets = new CallSockets(ctx);
    this.#ice = new IceBuffers(ctx.storage.kv, this.#sockets);
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
    ctx.blockConcurrencyWhile(async () => {
      this.#alarmAt = await ctx.storage.getAlarm();
    });
  }

  async create(input: machine.Create): Promise<Created> {
    const isNew = this.#call === null;
    if (isNew) {
      this.#call = machine.create(input, Date.now());
      this.#arm();
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
    close(socket, code === 1005 || code === 1006 ? 1000 : code, "");
  }

  override webSocketError(socket: WebSocket): void {
    this.webSocketClose(socket, 1006);
  }

  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    if (!this.#call) return;
    const lastSignAt = await this.#lastSign(this.#call);
    this.#step({ type: "alarm", lastSignAt });
    const now = Date.now();
    if (machine.isLedgerOverdue(this.#call, now, this.#ledgerRetryMs)) this.#tellLedger();
    if (machine.isExpired(this.#call, now)) await this.#forget();
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
    switch (message.type) {
      case "call_answer":
        return this.#command(from, message, { type: "answer", sdp: message.sdp ?? null });
      case "call_decline":
        return this.#command(from, message, { type: "decline", reason: message.reason });
      case "call_alerting":
        return this.#command(from, message, { type: "alerting" });
      case "call_media":
        return this.#command(from, message, { type: "media", state: message.state });
      case "call_end":
        return this.#command(from, message, { type: "end" });
      case "call_sync":
        return this.#sync(from, message);
      case "ice_candidate":
        return this.#candidates(from, message);
      case "call_negotiate":
        return this.#negotiate(from, message);
    }
  }

  #command(from: machine.Speaker, message: InCallMessage, command: machine.Command): ServerMessage[] {
    const verdict = this.#step({ type: "command", from, command });
    return replies(message, verdict, this.#view(from.userId));
  }

  #sync(from: DeviceRef, message: InCallMessage): ServerMessage[] {
    const view = this.#view(from.userId);
    if (!view) return replies(message, machine.NOT_FOUND, view);
    return [
      { type: "call_state", ...(message.id !== undefined && { re: message.id }), ...snapshotOf(view, Date.now()) },
    ];
  }

  #candidates(from: DeviceRef, message: Extract<InCallMessage, { type: "ice_candidate" }>): ServerMessage[] {
    const call = this.#call;
    const refused = call ? machine.mayGather(call, from) : machine.NOT_FOUND;
    if (!call || refused) return replies(message, refused ?? machine.NOT_FOUND, this.#view(from.userId));
    const candidates = [...(message.candidates ?? []), ...(message.candidate ? [message.candidate] : [])];
    const peer = machine.peerOf(call, from);
    this.#ice.admit(call.callId, from, candidates, message.endOfCandidates ?? false, Date.now(), peer === null);
    if (peer) this.#forwardCandidates(call, from, peer, message.connectionId);
    return [];
  }

  #forwardCandidates(call: Call, from: DeviceRef, to: DeviceRef, connectionId?: string): void {
    const batch = this.#ice.take(from, Date.now());
    if (!batch) return;
    const named = connectionId === undefined ? {} : { connectionId };
    this.#sendTo(to, {
      type: "ice_candidate",
      callId: call.callId,
      rev: call.rev,
      ...batch,
      ...named,
      from: machine.deviceOf(from),
    });
  }

  #negotiate(from: DeviceRef, message: Extract<InCallMessage, { type: "call_negotiate" }>): ServerMessage[] {
    const call = this.#call;
    const peer = call && machine.peerOf(call, from);
    if (!call || !peer) {
      return replies(message, call ? machine.NOT_IN_CALL : machine.NOT_FOUND, this.#view(from.userId));
    }
    const { sdp, sdpType, connectionId } = message;
    const named = connectionId === undefined ? {} : { connectionId };
    this.#sendTo(peer, {
      type: "call_negotiate",
      callId: call.callId,
      rev: call.rev,
      sdp,
      sdpType,
      ...named,
      from: machine.deviceOf(from),
    });
    return [];
  }

  /** Decides, writes what was decided, then tells everybody whom it concerns. */
  #step(event: machine.Event): machine.Verdict {
    const before = this.#call;
    if (!before) return machine.NOT_FOUND;
    const { call, verdict } = machine.step(before, event, Date.now());
    this.#call = call;
    this.#arm();
    if (machine.isCommit(before, call)) this.#write();
    this.#announce(before, call);
    return verdict;
  }

  /** In one turn with the alarm, so that the two are one transaction. */
  #write(): void {
    this.ctx.storage.kv.put("call", this.#call);
  }

  /** One alarm for all deadlines, moved only where that saves a wake-up. */
  #arm(): void {
    const call = this.#call;
    if (!call) return;
    const deadline = machine.nextDeadline(call, Date.now(), this.#ledgerRetryMs);
    const isSettled = call.phase.kind === "ended" && machine.isConfirmed(call);
    if (this.#alarmAt !== null && deadline >= this.#alarmAt && !(isSettled && deadline > this.#alarmAt)) return;
    this.#alarmAt = deadline;
    this.ctx.waitUntil(this.ctx.storage.setAlarm(deadline));
  }

  #announce(before: Call, call: Call): void {
    this.#sockets.announce((userId) => this.#view(userId), Date.now());
    for (const { userId } of call.participants) this.ctx.waitUntil(this.#tell(userId));
    if (before.phase.kind === "ringing" && call.phase.kind === "connecting") this.#connect(call, call.phase.answer.by);
    if (before.phase.kind !== call.phase.kind) log("call_phase", { call: short(call.callId), phase: call.phase.kind });
    if (before.ledger.due !== call.ledger.due) this.#tellLedger();
  }

  /** What was gathered before the answer goes to the two devices that are now connected. */
  #connect(call: Call, answerer: DeviceRef): void {
    const caller = { userId: call.caller.userId, deviceId: call.caller.deviceId };
    this.#forwardCandidates(call, caller, answerer);
    this.#forwardCandidates(call, answerer, caller);
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
    this.#arm();
  }

  #sendTo(device: DeviceRef, message: ServerMessage): void {
    if (this.#sockets.send(device, [message])) return;
    const delivered = this.env.USERS.getByName(device.userId).deliver(device.deviceId, [message]);
    this.ctx.waitUntil(delivered.catch((error: unknown) => log("relay_failed", { failure: failure(error) })));
  }

  #view(userId: string): CallView | undefined {
    return this.#call ? viewFor(this.#call, userId, this.#sockets.devicesOf(userId)) : undefined;
  }

  /** Sockets answer `ping` without waking this object, so a sign of life is looked up only when it counts. */
  async #lastSign(call: Call): Promise<number> {
    if (call.phase.kind !== "connected" && call.phase.kind !== "reconnecting") return 0;
    const both = [call.caller, call.phase.answer.by];
    const asked = both.map(({ userId, deviceId }) => this.env.USERS.getByName(userId).lastSign(deviceId));
    const signs = await Promise.all(asked.map((sign) => sign.catch(() => 0)));
    return Math.max(this.#sockets.lastSign(), ...signs);
  }

  get #ledgerRetryMs(): number {
    return Number(this.env.LEDGER_RETRY_SECONDS) * 1000;
  }

  async #forget(): Promise<void> {
    this.#call = null;
    this.#alarmAt = null;
    this.#sockets.closeAll();
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
  }
}
