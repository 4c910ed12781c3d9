import type { CallSnapshot } from "../schema/call.ts";
import type { ServerMessage, ServerMessageOf } from "../schema/server-messages.ts";
import type { CallLink } from "./call-link.ts";
import type { CallOptions, MergedInto } from "./call-options.ts";
import { isAnswered } from "./call-state.ts";
import type { Calls } from "./calls.ts";
import type { DeviceCall } from "./device-call.ts";
import { type CallElsewhere, elsewhere, whereabouts } from "./elsewhere.ts";

export interface InboxEvents {
  rung(call: Omit<CallOptions, "link">): void;
  /** The calls that other devices of the user are in. */
  elsewhere(calls: readonly CallElsewhere[]): void;
}

/** Sorts what the server says about calls: to the call that it is about, or to the user. */
export class Inbox {
  readonly #calls: Calls;
  readonly #link: CallLink;
  readonly #events: InboxEvents;
  #elsewhere: readonly CallElsewhere[] = [];

  constructor(calls: Calls, link: CallLink, events: InboxEvents) {
    this.#calls = calls;
    this.#link = link;
    this.#events = events;
  }

  get elsewhere(): readonly CallElsewhere[] {
    return this.#elsewhere;
  }

  hear(message: ServerMessage): void {
    this.#locate(message);
    if (message.type === "incoming_call" || message.type === "call_waiting") this.#rung(message);
    else if (message.type === "call_initiated") this.#initiated(message);
    else if (message.type === "call_merged") this.#merged(message);
    else if (message.type === "call_state") this.#snapshot(message);
    else this.#tell(message);
  }

  /** @param isComplete whether these are all of the user's calls, or those of one call's socket */
  snapshots(calls: readonly CallSnapshot[], isComplete: boolean): void {
    for (const call of calls) this.#snapshot(call, calls);
    if (!isComplete) return;
    for (const call of calls) this.#endOrphan(call);
    this.#become(calls.flatMap((call) => elsewhere(call, this.#link) ?? []));
  }

  #rung({ callId, caller, callType, sdp, remainingMs }: ServerMessageOf<"incoming_call" | "call_waiting">): void {
    if (!this.#calls.isNew(callId, this.#link.now() + remainingMs)) return;
    const person = { userId: caller.userId, name: caller.name };
    this.#events.rung({ direction: "incoming", callType, person, id: callId, offer: sdp, remainingMs });
  }

  /** Before the promise of the reply resolves: the next frame may already be about this call. */
  #initiated(message: ServerMessageOf<"call_initiated">): void {
    const { callId } = message;
    const call = this.#calls.initiated(message.re);
    if (!call) {
      // A reply that came after its time-out: nobody waits for this call.
      if (!this.#calls.get(callId)) this.#link.send({ type: "call_end", callId });
      return;
    }
    if (call.phase.kind !== "ended") this.#calls.add(callId, call);
    call.handle(message);
  }

  #merged({ callId, into, callType, sdp }: ServerMessageOf<"call_merged">): void {
    const call = this.#calls.get(callId);
    if (call) this.#merge(call, callId, { callId: into, callType, sdp });
  }

  #merge(call: DeviceCall, from: string, into: MergedInto): void {
    // Where a gap swallowed the word of it, the other call may have begun to ring here.
    const ringing = this.#calls.get(into.callId);
    this.#calls.add(into.callId, call);
    this.#link.release(from);
    void call.merge(into);
    if (ringing !== call) ringing?.supersede();
  }

  /** @param others what is known of other calls at the same time */
  #snapshot(call: CallSnapshot, others: readonly CallSnapshot[] = []): void {
    const own = this.#calls.get(call.callId);
    const into = others.find(({ callId }) => callId === call.mergedInto);
    if (own && own.phase.kind !== "ended" && call.mergedInto !== undefined) {
      const callType = into?.callType ?? own.callType;
      this.#merge(own, call.callId, { callId: call.mergedInto, callType, sdp: into?.sdp });
    } else own?.handle({ type: "call_state", ...call });
  }

  #tell(message: ServerMessage): void {
    const callId = "callId" in message ? message.callId : undefined;
    if (callId !== undefined) this.#calls.get(callId)?.handle(message);
  }

  /** A call that an earlier life of this device was in: its media went with that life. */
  #endOrphan({ callId, caller, answeredBy, participants, state }: CallSnapshot): void {
    const { deviceId, userId } = this.#link;
    const own = participants.find((participant) => participant.userId === userId)?.deviceId;
    const isOurs = own ? own === deviceId : caller.deviceId === deviceId || answeredBy?.deviceId === deviceId;
    if (!isOurs || state === "ended" || this.#calls.get(callId) || this.#calls.isInitiating) return;
    this.#link.send({ type: "call_end", callId });
  }

  #locate(message: ServerMessage): void {
    if (!("callId" in message) || message.callId === undefined) return;
    const { callId } = message;
    switch (whereabouts(message, this.#link)) {
      case "gone":
        this.#place(callId, null);
        break;
      case "unknown":
        this.#found(message, callId);
        break;
      case "none":
        break;
    }
  }

  /** The message says only where the call is, not with whom: the device that had it until now knows, others ask. */
  #found(message: ServerMessage, callId: string): void {
    const own = this.#calls.get(callId);
    const isWanted = message.type === "call_elsewhere" && message.wanted === true;
    if (own && isAnswered(own.phase) && "deviceId" in message && message.deviceId !== undefined) {
      const { callType, direction, person, phase } = own;
      const { deviceId } = message;
      this.#place(callId, { callId, deviceId, callType, direction, person, since: phase.since, isWanted });
    } else void this.#ask(callId, isWanted);
  }

  async #ask(callId: string, isWanted: boolean): Promise<void> {
    const reply = await this.#link.request({ type: "call_sync", callId }, null).catch(() => null);
    if (reply?.type === "call_state") this.#place(callId, elsewhere(reply, this.#link, isWanted));
  }

  #place(callId: string, found: CallElsewhere | null): void {
    const others = this.#elsewhere.filter((call) => call.callId !== callId);
    this.#become(found ? [...others, found] : others);
  }

  #become(calls: readonly CallElsewhere[]): void {
    if (calls.length === 0 && this.#elsewhere.length === 0) return;
    this.#elsewhere = calls;
    this.#events.elsewhere(calls);
  }
}
