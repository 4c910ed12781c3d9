import type { DeclineReason, EndReason, Outcome } from "../../schema/call.ts";
import type { DeviceRef } from "../../schema/ids.ts";
import { CALLER_GRACE_MS, CONNECT_MS, MAX_PARTICIPANTS, RING_MS, UNREACHABLE_MS } from "../../schema/limits.ts";
import { committed, due, ended, loggedOf, settled } from "./commit.ts";
import { done, NOT_IN_CALL, refused, type Step } from "./events.ts";
import {
  alertingLegs,
  deviceOf,
  devicesIn,
  hasNobodyToRing,
  isBusy,
  isGroup,
  isInvited,
  isLive,
  legOf,
  withClosedLegs,
  withLeg,
  withParticipant,
  withStay,
} from "./people.ts";
import type { Actor, Call, Participant, Phase } from "./state.ts";
import { without } from "./told.ts";

/** Ringing: who answers, who does not, and what that makes of the call. Pure. */

export function invited(userId: string, invitedBy: string, now: number): Participant {
  return {
    userId,
    name: "",
    role: "callee",
    state: "invited",
    ringUntil: now + RING_MS,
    settled: null,
    legs: [],
    stays: [],
    isHolding: false,
    silence: "none",
    invitedBy,
    hasIdleDevices: false,
    isUnknown: false,
  };
}

/** @param join in a group, also while another device of the user is in it */
export function answer(
  call: Call,
  participant: Participant,
  by: DeviceRef,
  { sdp, join }: { readonly sdp: string | null; readonly join: boolean },
  now: number,
): Step {
  const { phase } = call;
  if (participant.role === "caller" && !isGroup(call)) {
    return { call, verdict: refused("forbidden", "a caller cannot answer its call") };
  }
  if (phase.kind === "ended") return { call, verdict: { kind: "over" } };
  const devices = devicesIn(participant);
  if (devices.includes(by.deviceId)) return done(call);
  const mayAdd = isGroup(call) && join;
  if (participant.state === "joined" && !mayAdd) return { call, verdict: { kind: "already_answered" } };
  if (!isInvited(participant) && !isGroup(call)) return { call, verdict: { kind: "over" } };
  const answered = withLeg(withClosedLegs(participant), by.deviceId, "answered");
  const callee: Participant = { ...withStay(answered, by.deviceId, now), state: "joined", settled: null };
  const change: Partial<Call> = {
    phase: phase.kind === "ringing" ? connecting(by, now) : phase,
    answerSdp: call.isPair && phase.kind === "ringing" ? sdp : call.answerSdp,
    callerLostAt: null,
    lastSignAt: now,
  };
  const next = committed(withParticipant(call, callee), change, { kind: "answered", by: deviceOf(by) }, now);
  // Who comes to a group that the others have left is alone.
  return done(settle(due(next, now), now));
}

function connecting(by: DeviceRef, now: number): Phase {
  return { kind: "connecting", answer: { by: deviceOf(by), at: now }, until: now + CONNECT_MS };
}

/** The user does not want the call: on this device, or on no particular one. */
export function decline(call: Call, participant: Participant, by: Actor, now: number): Step {
  const unasked = unlessRung(call, participant);
  if (unasked) return unasked;
  const leg = by.deviceId === null ? participant : withLeg(participant, by.deviceId, "declined");
  const next = withParticipant(call, settled(leg, "declined", "declined", by, now));
  return done(settle(committed(next, {}, { kind: "declined", by: loggedOf(by) }, now), now));
}

/** This device alone is silenced, or busy. */
export function dismiss(
  call: Call,
  participant: Participant,
  by: DeviceRef,
  reason: Exclude<DeclineReason, "declined">,
  now: number,
): Step {
  const unasked = unlessRung(call, participant);
  if (unasked) return unasked;
  if (legOf(participant, by.deviceId)?.state === reason) return done(call);
  const next = withParticipant(call, withLeg(participant, by.deviceId, reason));
  return done(settle(committed(next, {}, { kind: reason, by: deviceOf(by) }, now), now));
}

/** After an answer, and after the end, a late decline must not touch the call. */
function unlessRung(call: Call, participant: Participant): Step | null {
  if (participant.role === "caller") return { call, verdict: refused("forbidden", "a caller ends its call instead") };
  return call.phase.kind === "ended" || !isInvited(participant) ? done(call) : null;
}

/** The first is a decision, for the others hear it; of the rest only the number changes. */
export function alerting(call: Call, participant: Participant, by: DeviceRef, now: number): Step {
  if (participant.role === "caller") return { call, verdict: refused("forbidden", "a caller does not alert") };
  if (call.phase.kind === "ended" || !isInvited(participant)) return done(call);
  const leg = legOf(participant, by.deviceId);
  if (leg && leg.state !== "notified" && leg.state !== "pushed") return done(call);
  const isFirst = alertingLegs(participant).length === 0;
  const next = withParticipant(call, withLeg(participant, by.deviceId, "alerting"));
  return done(isFirst ? committed(next, {}, { kind: "alerting", by: deviceOf(by) }, now) : next);
}

/** Those who are in, or are being rung, are not rung again. A call between two becomes a group call. */
export function invite(
  call: Call,
  participant: Participant,
  by: DeviceRef,
  callees: readonly string[],
  now: number,
): Step {
  if (call.phase.kind === "ended") return { call, verdict: { kind: "over" } };
  if (!devicesIn(participant).includes(by.deviceId)) return { call, verdict: NOT_IN_CALL };
  if (!isLive(call) && !isGroup(call)) {
    return { call, verdict: refused("forbidden", "people can be added once the call is answered") };
  }
  const isThere = (userId: string) => call.participants.some((p) => p.userId === userId && isTakingPart(p));
  const fresh = [...new Set(callees)].filter((userId) => !isThere(userId));
  const present = call.participants.filter(isTakingPart).length;
  if (present + fresh.length > MAX_PARTICIPANTS) {
    return { call, verdict: refused("too_many_participants", `a call has at most ${MAX_PARTICIPANTS} people`) };
  }
  if (fresh.length === 0) return done(call);
  const heard = without(call.heard, fresh);
  const change: Partial<Call> = { callType: "group", participants: withInvited(call, fresh, by.userId, now), heard };
  const happening = { kind: "invited" as const, by: deviceOf(by), calleeIds: fresh };
  return done(committed(call, change, happening, now));
}

function isTakingPart(participant: Participant): boolean {
  return participant.state === "joined" || isInvited(participant);
}

/** Somebody who declined or left before is rung as if for the first time. */
function withInvited(call: Call, fresh: readonly string[], by: string, now: number): Participant[] {
  const known = call.participants.map((participant) => {
    if (!fresh.includes(participant.userId)) return participant;
    const { name, role, stays } = participant;
    return { ...invited(participant.userId, by, now), name, role, stays };
  });
  const isNew = (userId: string) => call.participants.every((participant) => participant.userId !== userId);
  return [...known, ...fresh.filter(isNew).map((userId) => invited(userId, by, now))];
}

/** What follows from the time alone. */
export function ringOut(call: Call, now: number): Call {
  const late = call.participants.find((participant) => isInvited(participant) && now >= participant.ringUntil);
  if (!late || call.phase.kind === "ended") return call;
  const at = late.ringUntil;
  const next = withParticipant(call, settled(late, "missed", "timed_out", null, at));
  return ringOut(committed(next, {}, { kind: "missed", userId: late.userId }, at), now);
}

/** The calling device has been gone for too long to come back: nobody should answer into nothing. */
export function callerGone(call: Call, isCallerThere: boolean, now: number): Call {
  if (call.callerLostAt === null || now < call.callerLostAt + CALLER_GRACE_MS) return call;
  if (isCallerThere) return callerBack(call, now);
  return ended(call, { outcome: "cancelled", reason: "caller_lost", by: null, at: now });
}

export function callerLost(call: Call, device: DeviceRef, now: number): Call {
  const isCalling = device.userId === call.caller.userId && device.deviceId === call.caller.deviceId;
  if (call.phase.kind !== "ringing" || !isCalling || call.callerLostAt !== null) return call;
  return committed(call, { callerLostAt: now }, { kind: "caller_lost", by: deviceOf(device) }, now);
}

export function callerBack(call: Call, now: number): Call {
  if (call.callerLostAt === null) return call;
  return committed(call, { callerLostAt: null }, { kind: "caller_back", by: deviceOf(call.caller) }, now);
}

/** What follows from how people stand: nobody there, everybody busy, nobody left to wait for or to talk to. */
export function settle(call: Call, now: number): Call {
  if (call.phase.kind === "ended") return call;
  const next = call.participants.reduce((before, participant) => settleOne(before, participant, now), call);
  if (next.participants.some(isInvited)) return next;
  if (next.phase.kind === "ringing") {
    // Of a call to nobody who exists its creator is told, and there is no call.
    return isToNobody(next) && now < next.createdAt + RING_MS ? next : ended(next, unanswered(next, now));
  }
  const present = next.participants.filter((participant) => participant.state === "joined");
  if (present.length > 1) return next;
  const last = lastSettled(next);
  return ended(next, { outcome: "completed", reason: "hung_up", by: last?.by ?? null, at: now });
}

export function isToNobody(call: Call): boolean {
  return call.participants.every(({ role, isUnknown }) => role === "caller" || isUnknown);
}

function settleOne(call: Call, participant: Participant, now: number): Call {
  if (!isInvited(participant)) return call;
  if (call.heard[participant.userId] !== undefined && isBusy(participant))
    return withParticipant(call, settled(participant, "busy", "busy", busyDevice(participant), now));
  const isUnreachable = hasNobodyToRing(call, participant) && now >= unreachableAt(participant);
  if (!isUnreachable) return call;
  const next = withParticipant(call, settled(participant, "missed", "unreachable", null, now));
  return committed(next, {}, { kind: "missed", userId: participant.userId }, now);
}

export function unreachableAt(participant: Participant): number {
  return participant.ringUntil - RING_MS + UNREACHABLE_MS;
}

function busyDevice({ userId, legs }: Participant): DeviceRef | null {
  const leg = legs.findLast(({ state }) => state === "busy");
  return leg ? { userId, deviceId: leg.deviceId } : null;
}

function lastSettled(call: Call) {
  const all = call.participants.flatMap((participant) => participant.settled ?? []);
  return all.sort((a, b) => a.at - b.at).at(-1);
}

/** How a call ends that nobody has answered: as the callees' parts did, the most telling first. */
function unanswered(call: Call, now: number): Parameters<typeof ended>[1] {
  const callees = call.participants.filter(({ role, isUnknown }) => role === "callee" && !isUnknown);
  const declined = callees.findLast(({ state }) => state === "declined");
  if (declined) return { ...why("declined", "declined"), by: declined.settled?.by ?? null, at: now };
  const busy = callees.findLast(({ state }) => state === "busy");
  if (busy && callees.every(({ state }) => state === "busy")) {
    return { ...why("busy", "busy"), by: busy.settled?.by ?? null, at: now };
  }
  if (callees.every(({ settled: part }) => part?.reason === "unreachable")) {
    return { ...why("unreachable", "unreachable"), by: null, at: now };
  }
  const isBlocked = callees.every(({ silence }) => silence === "blocked");
  const at = lastSettled(call)?.at ?? now;
  return { ...why(isBlocked ? "blocked" : "missed", "timed_out"), by: null, at };
}

function why(outcome: Outcome, reason: EndReason) {
  return { outcome, reason };
}
