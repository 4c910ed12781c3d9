import { BACKSTOP_MS, MAX_LOG, REDELIVER_MS } from "../../schema/limits.ts";
import { isoTimestamp } from "../../schema/time.ts";
import { ended } from "./commit.ts";
import { mediaDueAt } from "./deadlines.ts";
import {
  type Create,
  type Delivered,
  DONE,
  done,
  type Event,
  NOT_FOUND,
  NOT_IN_CALL,
  refused,
  type Speaker,
  type Step,
  type Verdict,
} from "./events.ts";
import { handoff, handoffOverdue } from "./handoff.ts";
import { ringable } from "./offer.ts";
import {
  devicesIn,
  isGroup,
  isInvited,
  isTurnedAway,
  legOf,
  participantOf,
  peerOf,
  same,
  withLeg,
  withParticipant,
} from "./people.ts";
import {
  alerting,
  answer,
  callerBack,
  callerGone,
  callerLost,
  decline,
  dismiss,
  invite,
  invited,
  ringOut,
  settle,
} from "./ringing.ts";
import type { Call, Leg, Merge, Participant } from "./state.ts";
import { end, hold, media } from "./talking.ts";
import { letters, turned, without } from "./told.ts";

/**
 * The call's state machine: the one authority over who answered first and how a call ended.
 * Pure: `step(call, event, now)`. A transition that was decided has a new revision and is written
 * before anything is said of it; a change without one is only remembered.
 */

export function create(input: Create, now: number): Call {
  const { caller, callees, callType } = input;
  const participants = [calling(input, now), ...callees.map((userId) => invited(userId, caller.userId, now))];
  const call: Call = {
    callId: input.callId,
    callType,
    isPair: callType !== "group",
    rev: 1,
    createdAt: now,
    caller,
    participants,
    phase: { kind: "ringing" },
    offer: input.offer === null ? null : ringable(input.offer),
    answerSdp: null,
    handoff: null,
    moves: { count: 0, last: null },
    drops: { count: 0, last: null },
    turns: 0,
    turnedAt: now,
    callerLostAt: null,
    lastSignAt: now,
    heard: {},
    redeliverAt: null,
    ledger: { due: 1, confirmed: 0, toldAt: now },
    log: [
      {
        rev: 1,
        at: isoTimestamp(now),
        kind: "initiated",
        by: { userId: caller.userId, deviceId: caller.deviceId },
        callType,
        calleeIds: [...callees],
      },
    ],
  };
  const told = { state: "reaching" as const, people: letters(call.participants), moves: 0, drops: 0, turns: 0 };
  return { ...call, heard: { [caller.userId]: told } };
}

function calling({ caller, hasIdleDevices }: Create, now: number): Participant {
  const stay = { deviceId: caller.deviceId, joinedAt: now, leftAt: null, isMoved: false };
  const { userId, name } = caller;
  return { ...invited(userId, userId, now), name, role: "caller", state: "joined", stays: [stay], hasIdleDevices };
}

export function step(before: Call, event: Event, now: number): Step {
  const { call, verdict } = decide(before, event, now);
  return { call: turned(before, call, now), verdict };
}

function decide(call: Call, event: Event, now: number): Step {
  switch (event.type) {
    case "command":
      return command(call, event.from, event.command, now);
    case "declined": {
      const participant = participantOf(call, event.userId);
      if (!participant) return { call, verdict: NOT_FOUND };
      return decline(call, participant, { userId: event.userId, deviceId: null }, now);
    }
    case "delivered":
      return done(settle(delivered(call, event), now));
    case "delivery_failed":
      return done({ ...call, heard: without(call.heard, [event.userId]), redeliverAt: now + REDELIVER_MS });
    case "unknown":
      return done(settle(unknown(call, event.userId), now));
    case "unreached":
      return done(settle(unreached(call, event.userId, event.deviceIds), now));
    case "connected":
      return done(connected(call, event, now));
    case "disconnected":
      return done(callerLost(call, event.device, now));
    case "merge":
      return merge(call, event.into, now);
    case "ledger_told":
      return done({ ...call, ledger: { ...call.ledger, toldAt: now } });
    case "ledger_confirmed":
      return done(confirmed(call, event.rev));
    case "alarm":
      return done(onAlarm({ ...call, redeliverAt: null }, event, now));
  }
}

/** So much has happened that the ledger should take it over before the end. */
export function isLogFull(call: Call): boolean {
  return call.log.length >= MAX_LOG;
}

function command(known: Call, from: Speaker, asked: Extract<Event, { type: "command" }>["command"], now: number): Step {
  const speaker = participantOf(known, from.userId);
  if (!speaker) return { call: known, verdict: NOT_FOUND };
  const participant = { ...speaker, name: from.name ?? speaker.name };
  const call = participant.name === speaker.name ? known : withParticipant(known, participant);
  switch (asked.type) {
    case "answer":
      return answer(call, participant, from, asked, now);
    case "decline":
      if (asked.reason === "declined") return decline(call, participant, from, now);
      return dismiss(call, participant, from, asked.reason, now);
    case "alerting":
      return alerting(call, participant, from, now);
    case "media":
      return media(call, participant, from, asked.state, now);
    case "hold":
      return hold(call, participant, from, asked.on, now);
    case "handoff":
      return handoff(call, participant, from, asked, now);
    case "invite":
      return invite(call, participant, from, asked.callees, now);
    case "end":
      return end(call, participant, from, now);
  }
}

function onAlarm(call: Call, { lastSignAt, isCallerThere }: Extract<Event, { type: "alarm" }>, now: number): Call {
  const { phase } = call;
  switch (phase.kind) {
    case "ringing":
      return settle(ringOut(callerGone(call, isCallerThere, now), now), now);
    case "connecting": {
      const next = settle(ringOut(handoffOverdue(call, now), now), now);
      const dueAt = mediaDueAt(next, phase.until);
      if (next.phase.kind !== "connecting" || now < dueAt) return next;
      return ended(next, { outcome: "failed", reason: "media_timeout", by: null, at: dueAt });
    }
    case "connected":
    case "reconnecting":
      return quiet(settle(ringOut(handoffOverdue(call, now), now), now), lastSignAt, now);
    case "ended":
      return call;
  }
}

/** Nobody has given a sign of life for so long that there is no call any more, as of the last sign. */
function quiet(call: Call, lastSignAt: number, now: number): Call {
  if (call.phase.kind === "ended") return call;
  const seen = { ...call, lastSignAt: Math.max(call.lastSignAt, lastSignAt) };
  if (now < seen.lastSignAt + BACKSTOP_MS) return seen;
  return ended(seen, { outcome: "completed", reason: "inactive", by: null, at: seen.lastSignAt });
}

function delivered(call: Call, event: Delivered): Call {
  const participant = participantOf(call, event.userId);
  if (!participant) return call;
  const heard = { ...call.heard, [event.userId]: event.told };
  const { silence, hasIdleDevices } = event;
  const name = event.name ?? participant.name;
  const legs = [
    ...participant.legs,
    ...fresh(participant, event.rung, "notified"),
    ...fresh(participant, event.pushed, "pushed"),
  ];
  return { ...withParticipant(call, { ...participant, name, legs, silence, hasIdleDevices }), heard };
}

/** Whom the word reaches that they are rung when it is over by then will hear that next. */
function fresh(participant: Participant, deviceIds: readonly string[], state: "notified" | "pushed"): Leg[] {
  const unheard = deviceIds.filter((deviceId) => !legOf(participant, deviceId));
  return unheard.map((deviceId) => ({ deviceId, state: isInvited(participant) ? state : "cancelled" }));
}

/** They keep their place among the participants, so that the others' places stay. */
function unknown(call: Call, userId: string): Call {
  const participant = participantOf(call, userId);
  return participant ? withParticipant(call, { ...participant, state: "left", isUnknown: true }) : call;
}

function unreached(call: Call, userId: string, deviceIds: readonly string[]): Call {
  const participant = participantOf(call, userId);
  if (!participant) return call;
  const legs = participant.legs.filter((leg) => leg.state !== "pushed" || !deviceIds.includes(leg.deviceId));
  return withParticipant(call, { ...participant, legs });
}

function connected(call: Call, { device, mayRing }: Extract<Event, { type: "connected" }>, now: number): Call {
  const participant = participantOf(call, device.userId);
  if (!participant || call.phase.kind === "ended") return call;
  if (same(device, call.caller)) return callerBack(call, now);
  if (participant.state === "joined" && !devicesIn(participant).includes(device.deviceId)) {
    return withParticipant(call, { ...participant, hasIdleDevices: true });
  }
  const isRung = mayRing && isInvited(participant) && call.heard[device.userId] !== undefined;
  return isRung && !legOf(participant, device.deviceId)
    ? withParticipant(call, withLeg(participant, device.deviceId, "notified"))
    : call;
}

function merge(call: Call, into: Merge, now: number): Step {
  if (call.phase.kind !== "ringing" || isGroup(call)) {
    const isRepeated = call.phase.kind === "ended" && call.phase.mergedInto?.callId === into.callId;
    return { call, verdict: isRepeated ? DONE : refused("forbidden", "the call does not ring any more") };
  }
  if (call.participants.some(isTurnedAway)) return { call, verdict: refused("forbidden", "the call is to ring out") };
  return done(ended(call, { outcome: "cancelled", reason: "glare_merged", by: null, at: now, mergedInto: into }));
}

/** What the ledger has taken over is not kept here, once there is much of it. */
function confirmed(call: Call, rev: number): Call {
  if (rev <= call.ledger.confirmed) return call;
  const log = isLogFull(call) ? call.log.filter((entry) => entry.rev > rev) : call.log;
  return { ...call, log, ledger: { ...call.ledger, confirmed: rev } };
}

/** Before the answer every device that may win gathers; after it, only those that have a peer. */
export function mayGather(call: Call, device: { userId: string; deviceId: string }): Verdict | null {
  const participant = participantOf(call, device.userId);
  if (!participant) return NOT_FOUND;
  const isOtherDevice = participant.role === "caller" && device.deviceId !== call.caller.deviceId;
  if (call.phase.kind === "ringing" && call.isPair) return isOtherDevice ? NOT_IN_CALL : null;
  return peerOf(call, device) ? null : NOT_IN_CALL;
}
