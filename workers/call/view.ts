import type { CallSnapshot, CallState, CancelReason, EndReason } from "../../schema/call.ts";
import type { ServerMessage } from "../../schema/server-messages.ts";
import { isoTimestamp } from "../../schema/time.ts";
import { alertingLegs, answerOf, participantOf } from "./people.ts";
import type { Answer, Call, CallView } from "./state.ts";

/** What each user and each device may know of a call, and what it is told when that changes. Pure. */

export function stateOf(call: Call): CallState {
  if (call.phase.kind !== "ringing") return call.phase.kind;
  return alertingOf(call) === null ? "reaching" : "ringing";
}

function alertingOf(call: Call): CallView["alerting"] {
  const callee = call.participants.find((participant) => alertingLegs(participant).length > 0);
  return callee ? { userId: callee.userId, devices: alertingLegs(callee).length } : null;
}

/** @returns undefined for a user who has no part in the call */
export function viewFor(call: Call, userId: string, onCallSocket: readonly string[]): CallView | undefined {
  const participant = participantOf(call, userId);
  if (!participant) return undefined;
  const { phase } = call;
  return {
    callId: call.callId,
    rev: call.rev,
    userId,
    role: participant.role,
    callType: call.callType,
    caller: call.caller,
    state: stateOf(call),
    createdAt: call.createdAt,
    ringUntil: phase.kind === "ringing" ? phase.until : call.createdAt,
    offer: participant.role === "callee" ? call.offer : null,
    answerSdp: participant.role === "caller" ? call.answerSdp : null,
    answer: answerOf(call),
    ended: phase.kind === "ended" ? phase : null,
    alerting: alertingOf(call),
    joined: participant.stays.map((stay) => stay.deviceId),
    onCallSocket,
    people: call.participants.map(({ userId: id, name, state }) => ({ userId: id, name, state })),
  };
}

/** Seconds from the answer to the end; 0 for a call that nobody answered. */
export function durationSeconds(answer: Answer | null, endedAt: number): number {
  return answer ? Math.max(0, Math.round((endedAt - answer.at) / 1000)) : 0;
}

export function snapshotOf(view: CallView, now: number): CallSnapshot {
  const sdp = view.offer ?? view.answerSdp;
  const rings = view.state === "reaching" || view.state === "ringing";
  return {
    callId: view.callId,
    rev: view.rev,
    callType: view.callType,
    state: view.state,
    caller: view.caller,
    participants: [...view.people],
    createdAt: isoTimestamp(view.createdAt),
    ...(rings && { remainingMs: Math.max(0, view.ringUntil - now) }),
    ...(view.answer && { answeredBy: view.answer.by, connectedAt: isoTimestamp(view.answer.at) }),
    ...(sdp !== null && { sdp }),
    ...(view.ended && {
      outcome: view.ended.outcome,
      reason: view.ended.reason,
      durationSeconds: durationSeconds(view.answer, view.ended.at),
    }),
  };
}

/** Whether a user's object, having heard `before`, has anything to tell its devices of `view`. */
export function concerns(before: CallState | undefined, view: CallView): boolean {
  if (before === view.state) return false;
  if (view.state === "ended") return true;
  const rings = view.state === "reaching" || view.state === "ringing";
  if (view.role === "callee" && !isAnswered(before)) return !(rings && before !== undefined);
  return view.joined.some((deviceId) => !view.onCallSocket.includes(deviceId));
}

/**
 * What one device hears of `view` when it has been told of `before`. The device whose own
 * command caused the change hears nothing here: it has its reply.
 */
export function notices(
  before: CallState | undefined,
  view: CallView,
  deviceId: string,
  now: number,
): readonly ServerMessage[] {
  if (before === view.state) return [];
  return view.joined.includes(deviceId)
    ? inCallNotices(before, view, deviceId, now)
    : rungNotices(before, view, deviceId, now);
}

function isAnswered(state: CallState | undefined): boolean {
  return state === "connecting" || state === "connected" || state === "reconnecting";
}

function inCallNotices(
  before: CallState | undefined,
  view: CallView,
  deviceId: string,
  now: number,
): readonly ServerMessage[] {
  switch (view.state) {
    case "reaching":
      return [];
    case "ringing":
      return view.role === "caller" && view.alerting ? [ringing(view, view.alerting)] : [];
    case "connecting":
      return view.role === "caller" && view.answer ? [connected(view, view.answer)] : [];
    case "connected":
    case "reconnecting":
      return [
        ...(view.role === "caller" && view.answer && !isAnswered(before) ? [connected(view, view.answer)] : []),
        { type: "call_state", ...snapshotOf(view, now) },
      ];
    case "ended":
      return view.ended?.by?.deviceId === deviceId ? [] : ended(view);
  }
}

function rungNotices(
  before: CallState | undefined,
  view: CallView,
  deviceId: string,
  now: number,
): readonly ServerMessage[] {
  if (view.role === "caller" || isAnswered(before) || before === "ended") return [];
  const rings = view.state === "reaching" || view.state === "ringing";
  // A device that was never rung has nothing to stop.
  if (before === undefined) return rings ? incoming(view, now) : [];
  switch (view.state) {
    case "reaching":
    case "ringing":
      return [];
    case "connecting":
    case "connected":
    case "reconnecting":
      return view.answer ? [answeredElsewhere(view, view.answer)] : [];
    case "ended":
      return view.ended?.by?.deviceId === deviceId ? [] : stopped(view);
  }
}

export function incoming(view: CallView, now: number): readonly ServerMessage[] {
  const remainingMs = view.ringUntil - now;
  if (remainingMs <= 0) return [];
  const { callId, rev, caller, callType, offer } = view;
  return [{ type: "incoming_call", callId, rev, caller, callType, remainingMs, ...(offer !== null && { sdp: offer }) }];
}

function ringing(view: CallView, alerting: NonNullable<CallView["alerting"]>): ServerMessage {
  return { type: "call_ringing", callId: view.callId, rev: view.rev, ...alerting };
}

export function connected(view: CallView, answer: Answer): ServerMessage {
  return {
    type: "call_connected",
    callId: view.callId,
    rev: view.rev,
    answeredBy: answer.by,
    ...(view.answerSdp !== null && { sdp: view.answerSdp }),
  };
}

function answeredElsewhere(view: CallView, answer: Answer): ServerMessage {
  const { callId, rev } = view;
  return { type: "call_cancelled", callId, rev, reason: "answered_elsewhere", byDevice: answer.by.deviceId };
}

export function ended(view: CallView): ServerMessage[] {
  if (!view.ended) return [];
  const { outcome, reason, at } = view.ended;
  return [
    {
      type: "call_ended",
      callId: view.callId,
      rev: view.rev,
      outcome,
      reason,
      durationSeconds: durationSeconds(view.answer, at),
    },
  ];
}

/** A device that missed the answer is told of it, not of the end: the call was never missed. */
function stopped(view: CallView): readonly ServerMessage[] {
  if (view.answer) return [answeredElsewhere(view, view.answer)];
  if (!view.ended) return [];
  const { reason, by } = view.ended;
  const { callId, rev } = view;
  const byDevice = by && by.userId === view.userId ? { byDevice: by.deviceId } : {};
  return [{ type: "call_cancelled", callId, rev, reason: cancelReason(reason), ...byDevice }];
}

function cancelReason(reason: EndReason): CancelReason {
  switch (reason) {
    case "declined":
      return "declined_elsewhere";
    case "caller_hung_up":
    case "hung_up":
      return "caller_hung_up";
    case "timed_out":
    case "unreachable":
      return "timed_out";
    case "busy":
    case "media_timeout":
    case "media_failed":
    case "inactive":
      return "failed";
  }
}
