import type { Caller, CallState, CallType, DeclineReason, EndReason, Outcome } from "../../schema/call.ts";
import type { ErrorCode } from "../../schema/errors.ts";
import type { DeviceRef } from "../../schema/ids.ts";
import { BACKSTOP_MS, CONNECT_MS, REDELIVER_MS, RING_MS, UNREACHABLE_MS } from "../../schema/limits.ts";
import {
  answerOf,
  deviceOf,
  everybodyBusy,
  hasAlerted,
  isOpen,
  legOf,
  nobodyRings,
  otherLegs,
  participantOf,
  peerOf,
  same,
  withLeg,
  withParticipant,
} from "./people.ts";
import type { Answer, Call, Leg, Participant, Phase, Stay } from "./state.ts";

/**
 * The call's state machine: the one authority over who answered first and how a call ended.
 * Pure: `step(call, event, now)`. A transition that was decided has a new revision and is written
 * before anything is said of it; a change without one is only remembered.
 */

export interface Create {
  readonly callId: string;
  readonly callType: CallType;
  readonly caller: Caller;
  readonly callees: readonly string[];
  readonly offer: string | null;
}

/** Who speaks: what a user is called is learnt with what they say. */
export interface Speaker extends DeviceRef {
  readonly name?: string | undefined;
}

/** What a device of a participant asks for. */
export type Command =
  | { readonly type: "answer"; readonly sdp: string | null }
  | { readonly type: "decline"; readonly reason: DeclineReason }
  | { readonly type: "alerting" }
  | { readonly type: "media"; readonly state: "connected" | "failed" | "recovering" }
  | { readonly type: "end" };

export type Event =
  | { readonly type: "command"; readonly from: Speaker; readonly command: Command }
  /** A user's object took the view of `state`; for a callee, with the devices that it told. */
  | {
      readonly type: "delivered";
      readonly userId: string;
      readonly state: CallState;
      readonly name: string | null;
      readonly devices: readonly string[];
    }
  | { readonly type: "delivery_failed" }
  | { readonly type: "ledger_told" }
  | { readonly type: "ledger_confirmed"; readonly rev: number }
  | { readonly type: "alarm"; readonly lastSignAt: number };

/** The verdict on a command, from which its reply follows. */
export type Verdict =
  | { readonly kind: "done" }
  | { readonly kind: "already_answered" }
  | { readonly kind: "over" }
  | { readonly kind: "refused"; readonly code: ErrorCode; readonly message: string };

export interface Step {
  readonly call: Call;
  readonly verdict: Verdict;
}

const DONE: Verdict = { kind: "done" };
const refused = (code: ErrorCode, message: string): Verdict => ({ kind: "refused", code, message });
/** What a stranger hears is what an unknown call would say. */
export const NOT_FOUND = refused("call_not_found", "no such call");
export const NOT_IN_CALL = refused("not_in_call", "this device is not in the call");

export function create(input: Create, now: number): Call {
  const person = (userId: string, role: Participant["role"]): Participant => ({
    userId,
    name: role === "caller" ? input.caller.name : "",
    role,
    state: role === "caller" ? "joined" : "invited",
    legs: [],
    stays: role === "caller" ? [{ deviceId: input.caller.deviceId, joinedAt: now, leftAt: null }] : [],
  });
  return {
    callId: input.callId,
    callType: input.callType,
    rev: 1,
    createdAt: now,
    caller: input.caller,
    participants: [person(input.caller.userId, "caller"), ...input.callees.map((id) => person(id, "callee"))],
    phase: { kind: "ringing", until: now + RING_MS },
    offer: input.offer,
    answerSdp: null,
    lastSignAt: now,
    heard: { [input.caller.userId]: "reaching" },
    redeliverAt: null,
    ledger: { due: 1, confirmed: 0, toldAt: now },
  };
}

export function step(call: Call, event: Event, now: number): Step {
  switch (event.type) {
    case "command":
      return command(call, event.from, event.command, now);
    case "delivered":
      return done(settle(delivered(call, event), now));
    case "delivery_failed":
      return done({ ...call, redeliverAt: now + REDELIVER_MS });
    case "ledger_told":
      return done({ ...call, ledger: { ...call.ledger, toldAt: now } });
    case "ledger_confirmed":
      return done(confirmed(call, event.rev));
    case "alarm":
      return done(settle(onAlarm({ ...call, redeliverAt: null }, event.lastSignAt, now), now));
  }
}

/**
 * Whether `after` has to be written: every decision, and the ledger's confirmation of the end, after
 * which nothing is told again. The rest is remembered until then.
 */
export function isCommit(before: Call, after: Call): boolean {
  if (after.rev !== before.rev) return true;
  return after.phase.kind === "ended" && isConfirmed(after) && !isConfirmed(before);
}

export function isConfirmed(call: Call): boolean {
  return call.ledger.confirmed >= call.ledger.due;
}

function done(call: Call): Step {
  return { call, verdict: DONE };
}

function committed(call: Call, change: Partial<Call>): Call {
  return { ...call, ...change, rev: call.rev + 1 };
}

function command(known: Call, from: Speaker, asked: Command, now: number): Step {
  const speaker = participantOf(known, from.userId);
  if (!speaker) return { call: known, verdict: NOT_FOUND };
  const participant = { ...speaker, name: from.name ?? speaker.name };
  const call = participant.name === speaker.name ? known : withParticipant(known, participant);
  switch (asked.type) {
    case "answer":
      return answer(call, participant, from, asked.sdp, now);
    case "decline":
      return decline(call, participant, from, asked.reason, now);
    case "alerting":
      return alerting(call, participant, from);
    case "media":
      return media(call, from, asked.state, now);
    case "end":
      return end(call, participant, from, now);
  }
}

function answer(call: Call, participant: Participant, by: DeviceRef, sdp: string | null, now: number): Step {
  const { phase } = call;
  if (participant.role === "caller") return { call, verdict: refused("forbidden", "a caller cannot answer its call") };
  if (phase.kind === "ended") return { call, verdict: { kind: "over" } };
  if (phase.kind !== "ringing") {
    return same(phase.answer.by, by) ? done(call) : { call, verdict: { kind: "already_answered" } };
  }
  const callee: Participant = {
    ...participant,
    state: "joined",
    legs: [...otherLegs(participant, by.deviceId, "cancelled"), { deviceId: by.deviceId, state: "answered" }],
    stays: [{ deviceId: by.deviceId, joinedAt: now, leftAt: null }],
  };
  const winner: Answer = { by: deviceOf(by), at: now };
  const next = committed(withParticipant(call, callee), {
    phase: { kind: "connecting", answer: winner, until: now + CONNECT_MS },
    answerSdp: sdp,
    lastSignAt: now,
  });
  return done(due(next, now));
}

function decline(call: Call, participant: Participant, by: DeviceRef, reason: DeclineReason, now: number): Step {
  if (participant.role === "caller") return { call, verdict: refused("forbidden", "a caller ends its call instead") };
  // After an answer, and after the end, a late decline must not touch the call.
  if (call.phase.kind !== "ringing") return done(call);
  switch (reason) {
    case "declined":
      return done(ended(withLeg(call, participant, by.deviceId, "declined"), "declined", "declined", by, now));
    case "ignored":
    case "busy": {
      if (legOf(participant, by.deviceId)?.state === reason) return done(call);
      return done(settle(committed(withLeg(call, participant, by.deviceId, reason), {}), now));
    }
  }
}

/** The first is a decision, for the caller hears it; of the others only the number changes. */
function alerting(call: Call, participant: Participant, by: DeviceRef): Step {
  if (participant.role === "caller") return { call, verdict: refused("forbidden", "a caller does not alert") };
  if (call.phase.kind !== "ringing") return done(call);
  const leg = legOf(participant, by.deviceId);
  if (leg && leg.state !== "notified") return done(call);
  const alerted = withLeg(call, participant, by.deviceId, "alerting");
  return done(hasAlerted(call) ? alerted : committed(alerted, {}));
}

function media(call: Call, from: DeviceRef, state: "connected" | "failed" | "recovering", now: number): Step {
  if (peerOf(call, from) === null) return { call, verdict: NOT_IN_CALL };
  const { phase } = call;
  if (phase.kind === "ringing" || phase.kind === "ended") return { call, verdict: NOT_IN_CALL };
  switch (state) {
    case "connected":
      return done(phase.kind === "connected" ? call : live(call, "connected", phase.answer, now));
    case "recovering":
      return done(phase.kind === "connected" ? live(call, "reconnecting", phase.answer, now) : call);
    case "failed":
      return done(ended(call, "failed", "media_failed", from, now));
  }
}

/** With media up nobody needs the descriptions any more: the row shrinks with the first report. */
function live(call: Call, kind: "connected" | "reconnecting", answered: Answer, now: number): Call {
  return committed(call, { phase: { kind, answer: answered }, lastSignAt: now, offer: null, answerSdp: null });
}

function end(call: Call, participant: Participant, by: DeviceRef, now: number): Step {
  const { phase } = call;
  if (phase.kind === "ended") return { call, verdict: { kind: "over" } };
  if (phase.kind === "ringing") {
    if (participant.role === "callee") return decline(call, participant, by, "declined", now);
    if (by.deviceId !== call.caller.deviceId) return { call, verdict: NOT_IN_CALL };
    return done(ended(call, "cancelled", "caller_hung_up", by, now));
  }
  if (peerOf(call, by) === null) return { call, verdict: NOT_IN_CALL };
  return done(ended(call, "completed", "hung_up", by, now));
}

function onAlarm(call: Call, lastSignAt: number, now: number): Call {
  const { phase } = call;
  const seen = { ...call, lastSignAt: Math.max(call.lastSignAt, lastSignAt) };
  switch (phase.kind) {
    case "ringing":
      return now >= phase.until ? ended(call, "missed", "timed_out", null, phase.until) : call;
    case "connecting":
      return now >= phase.until ? ended(call, "failed", "media_timeout", null, phase.until) : call;
    case "connected":
    case "reconnecting":
      return now >= seen.lastSignAt + BACKSTOP_MS ? ended(seen, "completed", "inactive", null, seen.lastSignAt) : seen;
    case "ended":
      return call;
  }
}

/** What follows from the legs alone: nobody there, or everybody busy. */
function settle(call: Call, now: number): Call {
  if (call.phase.kind !== "ringing") return call;
  if (nobodyRings(call) && now >= call.createdAt + UNREACHABLE_MS) {
    return ended(call, "unreachable", "unreachable", null, now);
  }
  return everybodyBusy(call) ? ended(call, "busy", "busy", null, now) : call;
}

function ended(call: Call, outcome: Outcome, reason: EndReason, by: DeviceRef | null, at: number): Call {
  const phase: Phase = {
    kind: "ended",
    outcome,
    reason,
    at,
    by: by && deviceOf(by),
    answer: answerOf(call),
  };
  const participants = call.participants.map((participant) => gone(participant, outcome, at));
  return due(committed(call, { phase, participants, offer: null, answerSdp: null, redeliverAt: null }), at);
}

function gone(participant: Participant, outcome: Outcome, at: number): Participant {
  const stays = participant.stays.map((stay): Stay => (stay.leftAt === null ? { ...stay, leftAt: at } : stay));
  return {
    ...participant,
    stays,
    state: finalState(participant, outcome),
    legs: participant.legs.map((leg) => (isOpen(leg) ? { ...leg, state: "cancelled" } : leg)),
  };
}

function finalState(participant: Participant, outcome: Outcome): Participant["state"] {
  if (participant.state === "joined") return "left";
  if (participant.state !== "invited") return participant.state;
  return outcome === "declined" || outcome === "busy" ? outcome : "missed";
}

/** With the revision goes the telling of it: the next deadline counts from now. */
function due(call: Call, now: number): Call {
  return { ...call, ledger: { ...call.ledger, due: call.rev, toldAt: now } };
}

function delivered(call: Call, event: Extract<Event, { type: "delivered" }>): Call {
  const participant = participantOf(call, event.userId);
  if (!participant) return call;
  const heard = { ...call.heard, [event.userId]: event.state };
  const known = new Set(participant.legs.map((leg) => leg.deviceId));
  const rung = event.devices.filter((deviceId) => !known.has(deviceId));
  const legs = [...participant.legs, ...rung.map((deviceId): Leg => ({ deviceId, state: "notified" }))];
  return { ...withParticipant(call, { ...participant, name: event.name ?? participant.name, legs }), heard };
}

function confirmed(call: Call, rev: number): Call {
  return rev > call.ledger.confirmed ? { ...call, ledger: { ...call.ledger, confirmed: rev } } : call;
}

/** Before the answer every device that may win gathers; after it, only the two that are connected. */
export function mayGather(call: Call, device: DeviceRef): Verdict | null {
  const participant = participantOf(call, device.userId);
  if (!participant) return NOT_FOUND;
  const isOtherDevice = participant.role === "caller" && device.deviceId !== call.caller.deviceId;
  if (call.phase.kind === "ringing") return isOtherDevice ? NOT_IN_CALL : null;
  return peerOf(call, device) ? null : NOT_IN_CALL;
}
