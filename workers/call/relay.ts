import type { InCallMessage } from "../../schema/client-messages.ts";
import type { DeviceRef } from "../../schema/ids.ts";
import type { ServerMessage } from "../../schema/server-messages.ts";
import { failure, log } from "../log.ts";
import { mayGather, NOT_FOUND, NOT_IN_CALL, type Verdict } from "./call.ts";
import type { CallSockets } from "./call-sockets.ts";
import type { IceBuffers } from "./ice-buffers.ts";
import { deviceOf, participantOf, peerOf } from "./people.ts";
import type { Call } from "./state.ts";

type Candidates = Extract<InCallMessage, { type: "ice_candidate" }>;
type Negotiation = Extract<InCallMessage, { type: "call_negotiate" }>;

const DONE: Verdict = { kind: "done" };

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

  candidates(call: Call, from: DeviceRef, message: Candidates): Verdict {
    const refused = mayGather(call, from);
    if (refused) return refused;
    const candidates = [...(message.candidates ?? []), ...(message.candidate ? [message.candidate] : [])];
    const peer = peerOf(call, from);
    this.#ice.admit(call.callId, from, candidates, message.endOfCandidates ?? false, Date.now(), peer === null);
    if (peer) this.#forward(call, from, peer, message.connectionId);
    return DONE;
  }

  negotiate(call: Call, from: DeviceRef, { sdp, sdpType, connectionId }: Negotiation): Verdict {
    if (!participantOf(call, from.userId)) return NOT_FOUND;
    const peer = peerOf(call, from);
    if (!peer) return NOT_IN_CALL;
    const named = connectionId === undefined ? {} : { connectionId };
    const { callId, rev } = call;
    this.#send(peer, { type: "call_negotiate", callId, rev, sdp, sdpType, ...named, from: deviceOf(from) });
    return DONE;
  }

  /** What was gathered before the answer goes to the two devices that are now connected. */
  connect(call: Call, answerer: DeviceRef): void {
    const caller = deviceOf(call.caller);
    this.#forward(call, caller, answerer);
    this.#forward(call, answerer, caller);
  }

  #forward({ callId, rev }: Call, from: DeviceRef, to: DeviceRef, connectionId?: string): void {
    const batch = this.#ice.take(from, Date.now());
    if (!batch) return;
    const named = connectionId === undefined ? {} : { connectionId };
    this.#send(to, { type: "ice_candidate", callId, rev, ...batch, ...named, from: deviceOf(from) });
  }

  #send(device: DeviceRef, message: ServerMessage): void {
    if (this.#sockets.send(device, [message])) return;
    const delivered = this.#users.getByName(device.userId).deliver(device.deviceId, [message]);
    this.#ctx.waitUntil(delivered.catch((error: unknown) => log("relay_failed", { failure: failure(error) })));
  }
}
