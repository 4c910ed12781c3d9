import type { CancelReason, EndReason } from "../../schema/call.ts";
import type { DeviceRef } from "../../schema/ids.ts";
import { RING_MS } from "../../schema/limits.ts";
import type { ServerMessage } from "../../schema/server-messages.ts";
import type { Answer, CallView, PersonView, Told } from "./state.ts";
import { isAnswered, isSameTold, letter, rings, toldOf } from "./told.ts";
import { durationSeconds, snapshotOf } from "./view.ts";

/** What a device is told when a call has changed for its user. Pure. */

/** The device that is told. */
export interface Listener {
  readonly deviceId: string;
  /** It is in another call: this one waits. */
  readonly isEngaged: boolean;
}

/**
 * What one device hears of `view` when it has been told of `before`. The device whose own
 * command caused the change hears nothing here: it has its reply.
 */
export function notices(before: Told | undefined, view: CallView, to: Listener, now: number): readonly ServerMessage[] {
  if (before && isSameTold(before, toldOf(view))) return [];
  return view.joined.includes(to.deviceId)
    ? inCallNotices(before, view, to.deviceId, now)
    : outsideNotices(before, view, to, now);
}

function inCallNotices(before: Told | undefined, view: CallView, deviceId: string, now: number): ServerMessage[] {
  return [
    ...peopleNotices(before, view),
    ...stateNotices(before, view, deviceId, now),
    ...handoffNotices(before, view, deviceId),
    ...missedNotices(before, view, now),
  ];
}

/** Of several changes at once only the sum is told; a device that asked in between has seen what is not so any more. */
function missedNotices(before: Told | undefined, view: CallView, now: number): ServerMessage[] {
  const isToldAnyway = view.state !== "connecting" && before?.state !== view.state;
  return isAnswered(view.state) && isMissing(before, view) && !isToldAnyway ? [stateOf(view, now)] : [];
}

/** Who has come just now has its own reply, and nothing that happened since. */
function isMissing(before: Told | undefined, view: CallView): boolean {
  if (before && isAnswered(before.state)) return view.turns > before.turns + 1;
  return view.answer !== null && view.turnedAt > view.answer.at;
}

function stateNotices(before: Told | undefined, view: CallView, deviceId: string, now: number): ServerMessage[] {
  if (before?.state === view.state) return [];
  switch (view.state) {
    case "reaching":
    case "ringing":
      return [];
    case "connecting":
      return view.role === "caller" && view.answer ? [connected(view, view.answer)] : [];
    case "connected":
    case "reconnecting":
      return [
        ...(view.role === "caller" && view.answer && !isAnswered(before?.state) ? [connected(view, view.answer)] : []),
        stateOf(view, now),
      ];
    case "ended":
      return view.ended?.by?.deviceId === deviceId ? [] : over(view, deviceId);
  }
}

function stateOf(view: CallView, now: number): ServerMessage {
  return { type: "call_state", ...snapshotOf(view, now) };
}

/** The device whose call lost to one in the other direction goes on in that one. */
function over(view: CallView, deviceId: string): ServerMessage[] {
  const into = view.ended?.mergedInto;
  if (!into || deviceId !== view.caller.deviceId) return ended(view);
  const sdp = into.sdp === null ? {} : { sdp: into.sdp };
  return [
    { type: "call_merged", callId: view.callId, rev: view.rev, into: into.callId, callType: into.callType, ...sdp },
  ];
}

/** How the others' parts have changed, each a letter in the order of the participants. */
function peopleNotices(before: Told | undefined, view: CallView): ServerMessage[] {
  if (!before || view.state === "ended") return [];
  return view.people.flatMap((person, i) => {
    const [was, is] = [before.people.charAt(i), letter(person)];
    return was === is || person.userId === view.userId ? [] : personNotices(was, is, person, view);
  });
}

function personNotices(was: string, is: string, person: PersonView, view: CallView): ServerMessage[] {
  const { callId, rev, callType } = view;
  const { userId, name, deviceId, alerting, state } = person;
  const isGroup = callType === "group";
  switch (is) {
    case "r":
      return [{ type: "call_ringing", callId, rev, userId, devices: alerting }];
    case "h":
      return [
        ...(was === "j" ? [] : joinedNotices(person, view)),
        { type: "call_held", callId, rev, userId, on: true },
      ];
    case "j":
      if (was === "h") return [{ type: "call_held", callId, rev, userId, on: false }];
      return isGroup && deviceId !== null ? joinedNotices(person, view) : [];
    case "l":
    case "x":
      return isGroup ? [{ type: "participant_left", callId, rev, userId }] : [];
    default:
      return isGroup ? [{ type: "participant_updated", callId, rev, userId, name, state }] : [];
  }
}

function joinedNotices({ userId, name, deviceId }: PersonView, { callId, rev, callType }: CallView): ServerMessage[] {
  if (callType !== "group" || deviceId === null) return [];
  return [{ type: "participant_joined", callId, rev, userId, name, deviceId }];
}

/** To everybody in the call, and to the user's own devices, when another device has taken it over, or has not. */
function handoffNotices(before: Told | undefined, view: CallView, deviceId: string): ServerMessage[] {
  if (!before || view.state === "ended") return [];
  const { callId, rev, drops } = view;
  const notices: ServerMessage[] = movers(before, view).map((to) => ({ type: "call_handed_off", callId, rev, ...to }));
  if (drops.last && drops.count !== before.drops && isInvolved(drops.last, view, deviceId)) {
    notices.push({ type: "call_handoff_failed", callId, rev, deviceId: drops.last.to });
  }
  return notices;
}

/** Who has moved, and to which device. Of several moves at once only the last is known: then it is said where all are. */
function movers(before: Told, { moves, people }: CallView): DeviceRef[] {
  if (!moves.last || moves.count === before.moves) return [];
  const { userId, to } = moves.last;
  if (moves.count === before.moves + 1) return [{ userId, deviceId: to }];
  return people.flatMap((person) =>
    person.deviceId === null ? [] : [{ userId: person.userId, deviceId: person.deviceId }],
  );
}

function isInvolved(last: NonNullable<CallView["drops"]["last"]>, view: CallView, deviceId: string): boolean {
  return last.userId !== view.userId || deviceId === last.from || deviceId === last.to;
}

/** For a device that is not in the call: it is rung, or it may take the call over from another of its user's. */
function outsideNotices(before: Told | undefined, view: CallView, to: Listener, now: number): ServerMessage[] {
  if (rings(view.state)) {
    const isRung = view.role === "callee" && !rings(before?.state);
    return isRung ? incoming(view, to.isEngaged, now) : [];
  }
  if (rings(before?.state) && view.role === "callee") return stopped(view, to.deviceId);
  if (rings(before?.state) && view.caller.deviceId === to.deviceId) return movedOn(view);
  if (view.state === "ended") return isAnswered(before?.state) ? overElsewhere(before, view) : [];
  if (isAnswered(before?.state)) return handoffNotices(before, view, to.deviceId);
  return elsewhere(view);
}

/** A device that was being rung stops; if another of its user's devices has the call, it may take it over. */
function stopped(view: CallView, deviceId: string): ServerMessage[] {
  const answer = isOfThisRing(view) ? view.answer : null;
  if (answer?.by.deviceId === deviceId) return movedOn(view);
  if (answer) return [answeredElsewhere(view, answer), ...(view.state === "ended" ? [] : elsewhere(view))];
  if (!view.ended || view.ended.by?.deviceId === deviceId) return [];
  const { reason, by } = view.ended;
  const { callId, rev } = view;
  const byDevice = by?.userId === view.userId ? by.deviceId : null;
  const named = byDevice === null ? {} : { byDevice };
  return [{ type: "call_cancelled", callId, rev, reason: cancelReason(reason), ...named }];
}

/** One that has not heard of a move may have had the call itself. */
function overElsewhere(before: Told | undefined, view: CallView): ServerMessage[] {
  return before?.moves === view.moves.count ? elsewhere(view) : ended(view);
}

/** Who has left, and is asked to come again, had answered another time. */
function isOfThisRing({ answer, ringUntil }: CallView): boolean {
  return answer !== null && answer.at >= ringUntil - RING_MS;
}

/** The device had the call, and before its user's object heard so, another one took the call over. */
function movedOn(view: CallView): ServerMessage[] {
  const { callId, rev, userId } = view;
  const deviceId = view.joined.at(-1);
  if (view.state === "ended" || deviceId === undefined) return ended(view);
  return [{ type: "call_handed_off", callId, rev, userId, deviceId }];
}

/** Where the call is, or that it is over; nothing for a user who is not in it. */
function elsewhere(view: CallView): ServerMessage[] {
  const { callId, rev, callType, state } = view;
  const deviceId = view.joined.at(-1);
  return deviceId === undefined ? [] : [{ type: "call_elsewhere", callId, rev, deviceId, callType, state }];
}

/** @param isEngaged the device is in another call */
export function incoming(view: CallView, isEngaged: boolean, now: number): ServerMessage[] {
  const remainingMs = view.ringUntil - now;
  if (remainingMs <= 0) return [];
  const { callId, rev, caller, callType, offer } = view;
  const type = isEngaged ? "call_waiting" : "incoming_call";
  return [{ type, callId, rev, caller, callType, remainingMs, ...(offer !== null && { sdp: offer }) }];
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
  const { callId, rev } = view;
  return [{ type: "call_ended", callId, rev, outcome, reason, durationSeconds: durationSeconds(view.answer, at) }];
}

function cancelReason(reason: EndReason): CancelReason {
  switch (reason) {
    case "declined":
      return "declined_elsewhere";
    case "caller_hung_up":
    case "caller_lost":
    case "hung_up":
      return "caller_hung_up";
    case "timed_out":
    case "unreachable":
      return "timed_out";
    case "glare_merged":
      return "glare_merged";
    case "busy":
    case "media_timeout":
    case "media_failed":
    case "inactive":
      return "failed";
  }
}

/** What a device that comes back does with the media of a call that it was in. */
export function recover(view: CallView, deviceId: string): ServerMessage[] {
  const { callId, rev, state, room } = view;
  const isIn = view.joined.includes(deviceId);
  if (!isIn && !view.former.includes(deviceId)) return [];
  if (!isIn || state === "ended") return [{ type: "recover", callId, rev, action: "leave" }];
  const isElsewhere = room !== undefined && !room.inside.includes(deviceId);
  return [{ type: "recover", callId, rev, action: isElsewhere ? "rejoin" : "resume" }];
}
