import type { InCallMessage } from "../../schema/client-messages.ts";
import type { DeviceRef } from "../../schema/ids.ts";
import type { ServerMessage } from "../../schema/server-messages.ts";
import { failure, log } from "../log.ts";
import { mayGather } from "./call.ts";
import type { CallSockets } from "./call-sockets.ts";
import { DONE, NOT_FOUND, NOT_IN_CALL, type Verdict } from "./events.ts";
import type { IceBuffers, IceSource } from "./ice-buffers.ts";
import { deviceOf, isTarget, participantOf, peerOf, routeOf } from "./people.ts";
import type { Call } from "./state.ts";

type Candidates = Extract<InCallMessage, { type: "ice_candidate" }>;
type Negotiation = Extract<InCallMessage, { type: "call_negotiate" }>;

/** Carries what the two devices of a call say to each other: nothing of it is decided here, or read. */
export class Relay {
  readonly #sockets: CallSockets;
  readonly #ice: IceBuffers;
  readonly #users: Env["USERS"];
  readonly #ctx: DurableObjectState;

  constructor(ctx: DurableObjectState, users: Env["USERS"], sockets: CallSockets, ice: IceBuffers) {
    this.#ctx = ctx;
    this.#users = users;
    this.#sockets = sockets;
    this.#ice = ice;
  }

  /** Of what is no command to the call the rest only asks how it stands. */
  carry(call: Call, from: DeviceRef, message: InCallMessage): Verdict {
    if (message.type === "ice_candidate") return this.#candidates(call, from, message);
    if (message.type === "call_negotiate") return this.#negotiate(call, from, message);
    return DONE;
  }

  #candidates(call: Call, from: DeviceRef, message: Candidates): Verdict {
    const refused = mayGather(call, from);
    if (refused) return refused;
    const candidates = [...(message.candidates ?? []), ...(message.candidate ? [message.candidate] : [])];
    const connectionId = connectionOf(call, from, message.connectionId);
    const peer = routeOf(call, from, connectionId, false);
    const source = { ...deviceOf(from), connectionId: peer ? connectionId : undefined };
    this.#ice.admit(call.callId, source, candidates, message.endOfCandidates ?? false, Date.now(), peer === null);
    if (peer) this.#forward(call, source, peer);
    return DONE;
  }

  #negotiate(call: Call, from: DeviceRef, message: Negotiation): Verdict {
    if (!participantOf(call, from.userId)) return NOT_FOUND;
    const { sdp, sdpType } = message;
    const connectionId = connectionOf(call, from, message.connectionId);
    const peer = routeOf(call, from, connectionId, sdpType === "answer");
    if (!peer) return NOT_IN_CALL;
    const { callId, rev } = call;
    const named = connectionId === undefined ? {} : { connectionId };
    this.send(peer, { type: "call_negotiate", callId, rev, sdp, sdpType, ...named, from: deviceOf(from) });
    return DONE;
  }

  /** What follows from a handoff that was asked for. */
  handoff(call: Call, from: DeviceRef, sdp: string | null, verdict: Verdict): void {
    if (verdict.kind === "done" && sdp !== null) this.#offerHandoff(call, from, sdp);
    if (verdict.kind === "handoff_wanted") this.#wantHandoff(call, from, verdict.deviceId);
  }

  /** The offer of a device that takes the call over goes to the other side, for a second connection. */
  #offerHandoff(call: Call, from: DeviceRef, sdp: string): void {
    const peer = peerOf(call, from);
    const { callId, rev, handoff } = call;
    if (!peer || !handoff) return;
    const { connectionId } = handoff;
    const offer = { sdp, sdpType: "offer" as const, connectionId, handoff: true, from: deviceOf(from) };
    this.send(peer, { type: "call_negotiate", callId, rev, ...offer });
  }

  /** The device that has the call asks another of its user's to take it over. */
  #wantHandoff(call: Call, from: DeviceRef, to: string): void {
    const { callId, rev, callType, phase } = call;
    const state = phase.kind;
    const wanted = { callId, rev, deviceId: from.deviceId, callType, state, wanted: true };
    this.send({ userId: from.userId, deviceId: to }, { type: "call_elsewhere", ...wanted });
  }

  /** What was gathered before the answer goes to the two devices that are now connected. */
  connect(call: Call, answerer: DeviceRef): void {
    const caller = deviceOf(call.caller);
    this.#forward(call, caller, answerer);
    this.#forward(call, answerer, caller);
  }

  #forward({ callId, rev }: Call, from: IceSource, to: DeviceRef): void {
    const batch = this.#ice.take(from, Date.now());
    if (!batch) return;
    const named = from.connectionId === undefined ? {} : { connectionId: from.connectionId };
    this.send(to, { type: "ice_candidate", callId, rev, ...batch, ...named, from: deviceOf(from) });
  }

  /** To one device, wherever it is connected; one that is not will ask how things stand. */
  send(device: DeviceRef, message: ServerMessage): void {
    if (this.#sockets.send(device, [message])) return;
    const delivered = this.#users.getByName(device.userId).deliver(device.deviceId, [message]);
    this.#ctx.waitUntil(delivered.catch((error: unknown) => log("relay_failed", { failure: failure(error) })));
  }
}

/** What a device says that is taking the call over is about the second connection, named or not. */
function connectionOf(call: Call, from: DeviceRef, connectionId: string | undefined): string | undefined {
  return isTarget(call, from) ? call.handoff?.connectionId : connectionId;
}
