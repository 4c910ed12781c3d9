import type { InCallMessage } from "../../schema/client-messages.ts";
import type { DeviceRef } from "../../schema/ids.ts";
import { mayGather } from "./call.ts";
import { DONE, NOT_FOUND, NOT_IN_CALL, type Verdict } from "./events.ts";
import type { IceBuffers } from "./ice-buffers.ts";
import { heldBack } from "./offer.ts";
import { deviceOf, isTarget, participantOf, peerOf, routeOf } from "./people.ts";
import type { Post } from "./post.ts";
import type { Call } from "./state.ts";

type Gathered = Extract<InCallMessage, { type: "ice_candidate" }>;
type Negotiation = Extract<InCallMessage, { type: "call_negotiate" }>;

/** Two who are left in a room, and connect with each other. */
interface Pair {
  readonly peer: (device: DeviceRef) => DeviceRef | undefined;
  readonly connectionId: () => string | null;
}

/** Finds who is meant by what the two devices of a call say to each other: nothing of it is decided here, or read. */
export class Relay {
  readonly #post: Post;
  readonly #ice: IceBuffers;
  readonly #pair: Pair;

  constructor(post: Post, ice: IceBuffers, pair: Pair) {
    this.#post = post;
    this.#ice = ice;
    this.#pair = pair;
  }

  /** Of what is no command to the call the rest only asks how it stands. */
  carry(call: Call, from: DeviceRef, message: InCallMessage): Verdict {
    if (message.type === "ice_candidate") return this.#gathered(call, from, message);
    if (message.type === "call_negotiate") return this.#negotiate(call, from, message);
    return DONE;
  }

  /** What the offer says of where the caller is waits for an answer. */
  holdBack(call: Call, offer: string | null): void {
    const { candidates, endOfCandidates } = heldBack(offer ?? "");
    if (candidates.length === 0) return;
    const gathered = { callId: call.callId, candidates, endOfCandidates };
    this.#ice.admit({ ...deviceOf(call.caller), handoff: null }, gathered, Date.now(), true);
  }

  /** What follows from a handoff that was asked for. */
  handoff(call: Call, from: DeviceRef, sdp: string | null, verdict: Verdict): void {
    if (verdict.kind === "done" && sdp !== null) this.#offerHandoff(call, from, sdp);
    if (verdict.kind === "handoff_wanted") this.#wantHandoff(call, from, verdict.deviceId);
  }

  /** What was gathered before the answer goes to the two devices that are now connected. */
  connect(call: Call, answerer: DeviceRef): void {
    const caller = deviceOf(call.caller);
    this.#forward(call, caller, answerer, undefined);
    this.#forward(call, answerer, caller, undefined);
  }

  #gathered(call: Call, from: DeviceRef, message: Gathered): Verdict {
    const refused = this.#pair.peer(from) ? null : mayGather(call, from);
    if (refused) return refused;
    const candidates = [...(message.candidates ?? []), ...(message.candidate ? [message.candidate] : [])];
    const name = nameOf(call, from, message.connectionId);
    const peer = this.#pair.peer(from) ?? routeOf(call, from, name, false);
    const { removed, endOfCandidates = false } = message;
    const gathered = { callId: call.callId, candidates, removed, endOfCandidates };
    this.#ice.admit(
      { ...deviceOf(from), handoff: this.#second(call, from, peer) },
      gathered,
      Date.now(),
      peer === null,
    );
    if (peer) this.#forward(call, from, peer, name);
    return DONE;
  }

  #negotiate(call: Call, from: DeviceRef, message: Negotiation): Verdict {
    if (!participantOf(call, from.userId)) return NOT_FOUND;
    const { callId, rev } = call;
    const { sdp, sdpType } = message;
    const name = nameOf(call, from, message.connectionId);
    const peer = this.#pair.peer(from) ?? routeOf(call, from, name, sdpType === "answer");
    if (!peer) return NOT_IN_CALL;
    const named = name === undefined ? {} : { connectionId: name };
    this.#post.carry(peer, { type: "call_negotiate", callId, rev, sdp, sdpType, ...named, from: deviceOf(from) });
    return DONE;
  }

  /** The offer of a device that takes the call over goes to the other side, for a second connection. */
  #offerHandoff(call: Call, from: DeviceRef, sdp: string): void {
    const peer = peerOf(call, from);
    const { callId, rev, handoff } = call;
    if (!peer || !handoff) return;
    const { connectionId } = handoff;
    const offer = { sdp, sdpType: "offer" as const, connectionId, handoff: true, from: deviceOf(from) };
    this.#post.carry(peer, { type: "call_negotiate", callId, rev, ...offer });
  }

  /** The device that has the call asks another of its user's to take it over. */
  #wantHandoff(call: Call, from: DeviceRef, to: string): void {
    const { callId, rev, callType, phase } = call;
    const state = phase.kind;
    const wanted = { callId, rev, deviceId: from.deviceId, callType, state, wanted: true };
    this.#post.tell({ userId: from.userId, deviceId: to }, { type: "call_elsewhere", ...wanted });
  }

  /** The name of the connection that is meant, where it is not the one that the call has had all along. */
  #second(call: Call, from: DeviceRef, to: DeviceRef | null): string | null {
    return this.#pair.peer(from) ? this.#pair.connectionId() : handoffOf(call, from, to);
  }

  #forward(call: Call, from: DeviceRef, to: DeviceRef, name: string | undefined): void {
    const { callId, rev } = call;
    const batch = this.#ice.take({ ...deviceOf(from), handoff: this.#second(call, from, to) }, Date.now());
    if (!batch) return;
    const named = name === undefined ? {} : { connectionId: name };
    this.#post.carry(to, { type: "ice_candidate", callId, rev, ...batch, ...named, from: deviceOf(from) });
  }
}

/** What a device says that is taking the call over is about the second connection, named or not. */
function nameOf(call: Call, from: DeviceRef, connectionId: string | undefined): string | undefined {
  return isTarget(call, from) ? call.handoff?.connectionId : connectionId;
}

/** The handoff whose connection is meant, by its name; null for the one that the call has had all along. */
function handoffOf(call: Call, from: DeviceRef, to: DeviceRef | null): string | null {
  const isSecond = isTarget(call, from) || (to !== null && isTarget(call, to));
  return isSecond ? (call.handoff?.connectionId ?? null) : null;
}
