import type { CallSnapshot, CallState, LegState } from "../../schema/call.ts";
import { isoTimestamp } from "../../schema/time.ts";
import { alertingLegs, answerOf, devicesIn, hasReacted, isGroup, isTurnedAway, participantOf } from "./people.ts";
import type { Answer, Call, CallView, Participant, RoomView, Settled } from "./state.ts";
import { personView, rings } from "./told.ts";

/** What each user may know of a call. Pure. */

/** The call as it is for one participant: it rings for who is invited, and is over for who declined or left. */
export function stateFor(call: Call, participant: Participant): CallState {
  const { phase } = call;
  if (phase.kind === "ended") return "ended";
  if (participant.state === "invited") return alertingLegs(participant).length > 0 ? "ringing" : "reaching";
  if (participant.state !== "joined") return "ended";
  if (phase.kind !== "ringing") return phase.kind;
  return call.participants.some((other) => alertingLegs(other).length > 0) ? "ringing" : "reaching";
}

/** @returns undefined for a user who has no part in the call */
export function viewFor(
  call: Call,
  userId: string,
  onCallSocket: readonly string[],
  room?: RoomView,
): CallView | undefined {
  const participant = participantOf(call, userId);
  if (!participant) return undefined;
  return {
    callId: call.callId,
    rev: call.rev,
    userId,
    role: participant.role,
    callType: call.callType,
    caller: call.caller,
    invitedBy: participant.invitedBy,
    state: stateFor(call, participant),
    createdAt: call.createdAt,
    ringUntil: participant.role === "callee" ? participant.ringUntil : ringUntil(call),
    offer: participant.role === "callee" ? call.offer : null,
    answerSdp: participant.role === "caller" ? call.answerSdp : null,
    answer: answerFor(call, participant),
    ended: endFor(call, participant),
    reacted: participant.legs.flatMap((leg) => (hasReacted(leg) ? [leg.deviceId] : [])),
    dismissed: participant.legs.flatMap(({ deviceId, state }) => (isDismissed(state) ? [deviceId] : [])),
    joined: joined(call, participant),
    former: participant.stays.flatMap(({ deviceId, isMoved }) => (isMoved ? [deviceId] : [])),
    onCallSocket,
    hasIdleDevices: participant.hasIdleDevices,
    mayMerge: !call.participants.some(isTurnedAway),
    moves: call.moves,
    drops: call.drops,
    turns: call.turns,
    turnedAt: call.turnedAt,
    people: call.participants.map(personView),
    room,
  };
}

function isDismissed(state: LegState): boolean {
  return state === "ignored" || state === "busy";
}

/** The caller waits as long as anybody is rung. */
function ringUntil(call: Call): number {
  return Math.max(...call.participants.map((participant) => participant.ringUntil));
}

/** In a group each callee's own: a second device of theirs is to know which one was first. */
function answerFor(call: Call, participant: Participant): Answer | null {
  if (!isGroup(call) || participant.role === "caller") return answerOf(call);
  const own = participant.stays.at(-1);
  return own ? { by: { userId: participant.userId, deviceId: own.deviceId }, at: own.joinedAt } : null;
}

/** However the call ends: only whoever blocked it is told so, the others see what they see whom nobody heard. */
function endFor(call: Call, participant: Participant): CallView["ended"] {
  const ended = endOf(call, participant);
  if (!ended || ended.mergedInto) return ended;
  if (participant.silence === "blocked" && participant.stays.length === 0) return { ...ended, outcome: "blocked" };
  return ended.outcome === "blocked" ? { ...ended, outcome: "missed" } : ended;
}

function endOf(call: Call, participant: Participant): CallView["ended"] {
  const { phase } = call;
  const { settled, state } = participant;
  if (phase.kind === "ended" && !(isGroup(call) && settled && settled.at < phase.at)) return phase;
  return settled && state !== "joined" && state !== "invited" ? ownEnd(state, settled) : null;
}

function ownEnd(
  state: Exclude<Participant["state"], "invited" | "joined">,
  { reason, at, by }: Settled,
): CallView["ended"] {
  const outcome = state === "left" ? (reason === "media_failed" ? "failed" : "completed") : state;
  return { outcome, reason, at, by, mergedInto: null };
}

/** The devices that are in the call, one that is taking it over among them; of a call that is over, those that were. */
function joined(call: Call, participant: Participant): string[] {
  const target = call.handoff?.userId === participant.userId ? [call.handoff.to] : [];
  const now = devicesIn(participant);
  if (now.length > 0) return [...now, ...target];
  const at = participant.settled?.at;
  const last = participant.stays.filter((stay) => !stay.isMoved && stay.leftAt === at);
  return [...last.map(({ deviceId }) => deviceId), ...target];
}

/** Seconds from the answer to the end; 0 for a call that nobody answered. */
export function durationSeconds(answer: Answer | null, endedAt: number): number {
  return answer ? Math.max(0, Math.round((endedAt - answer.at) / 1000)) : 0;
}

export function snapshotOf(view: CallView, now: number): CallSnapshot {
  const sdp = view.offer ?? view.answerSdp;
  const { ended } = view;
  return {
    callId: view.callId,
    rev: view.rev,
    callType: view.callType,
    state: view.state,
    caller: view.caller,
    participants: participants(view),
    createdAt: isoTimestamp(view.createdAt),
    ...(rings(view.state) && { remainingMs: Math.max(0, view.ringUntil - now) }),
    ...(view.answer && { answeredBy: view.answer.by, connectedAt: isoTimestamp(view.answer.at) }),
    ...(sdp !== null && { sdp }),
    ...(ended && {
      outcome: ended.outcome,
      reason: ended.reason,
      durationSeconds: durationSeconds(view.answer, ended.at),
    }),
    ...(ended?.mergedInto && { mergedInto: ended.mergedInto.callId }),
    ...(view.room && { room: { epoch: view.room.epoch } }),
  };
}

function participants({ people }: CallView): CallSnapshot["participants"] {
  return people
    .filter(({ isUnknown }) => !isUnknown)
    .map(({ userId, name, state, deviceId, isHolding }) => ({
      userId,
      name,
      state,
      ...(deviceId !== null && { deviceId }),
      ...(isHolding && { held: true }),
    }));
}
