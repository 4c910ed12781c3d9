import type { DeviceRef } from "../../schema/ids.ts";
import { HANDOFF_MS } from "../../schema/limits.ts";
import { committed, ended } from "./commit.ts";
import { type Command, DONE, done, NOT_IN_CALL, refused, type Step } from "./events.ts";
import {
  deviceIn,
  devicesIn,
  isGroup,
  isLive,
  participantOf,
  withoutStays,
  withParticipant,
  withStay,
} from "./people.ts";
import type { Call, Handoff, Participant } from "./state.ts";

/**
 * A device of a user in the call takes it over. The one that has it keeps its media until the new one reports
 * that its own flows; then one write moves the call. Pure.
 */

type Ask = Extract<Command, { type: "handoff" }>;

export function handoff(call: Call, participant: Participant, by: DeviceRef, ask: Ask, now: number): Step {
  if (call.phase.kind === "ended") return { call, verdict: { kind: "over" } };
  const from = deviceIn(participant);
  if (!isLive(call) || from === null) return { call, verdict: NOT_IN_CALL };
  if (devicesIn(participant).includes(by.deviceId)) return asked(call, by, ask);
  if (call.handoff) {
    const isRepeated = call.handoff.to === by.deviceId && call.handoff.userId === by.userId;
    return { call, verdict: isRepeated ? DONE : refused("forbidden", "another device is taking the call over") };
  }
  if (ask.sdp === null && !isGroup(call)) {
    return { call, verdict: refused("bad_message", "sdp: an offer of the device that takes over is needed") };
  }
  return done(started(call, by, from, ask.connectionId ?? by.deviceId, now));
}

/** By the device that has the call: it asks another; without one, or once it has taken over, there is nothing to do. */
function asked(call: Call, by: DeviceRef, { to }: Ask): Step {
  if (to === null || to === by.deviceId) return done(call);
  return { call, verdict: { kind: "handoff_wanted", deviceId: to } };
}

function started(call: Call, { userId, deviceId }: DeviceRef, from: string, connectionId: string, now: number): Call {
  const until = now + HANDOFF_MS;
  const next: Handoff = { userId, from, to: deviceId, until, connectionId, isSourceLost: false };
  return committed(
    call,
    { handoff: next, lastSignAt: now },
    { kind: "handoff_started", by: { userId, deviceId }, fromDeviceId: from },
    now,
  );
}

/** The compare-and-set: the call is on the new device from this revision on. */
export function moved(call: Call, participant: Participant, now: number): Call {
  if (!call.handoff) return call;
  const { userId, from, to } = call.handoff;
  const next = withStay(withoutStays(participant, [from], now, true), to, now);
  const moves = { count: call.moves.count + 1, last: { userId, from, to } };
  const happening = { kind: "handed_off" as const, by: { userId, deviceId: to }, fromDeviceId: from };
  return committed(withParticipant(call, next), { handoff: null, moves, lastSignAt: now }, happening, now);
}

/** Nothing has changed: the call stays where it was, if that device's media is still there. */
export function dropped(call: Call, now: number): Call {
  if (!call.handoff) return call;
  const { userId, from, to, isSourceLost } = call.handoff;
  const drops = { count: call.drops.count + 1, last: { userId, from, to } };
  const happening = { kind: "handoff_failed" as const, by: { userId, deviceId: to }, fromDeviceId: from };
  const next = committed(call, { handoff: null, drops }, happening, now);
  if (!isSourceLost) return next;
  return ended(next, { outcome: "failed", reason: "media_failed", by: { userId, deviceId: from }, at: now });
}

/** While another device takes over, the call does not hang on this one's media. */
export function sourceLost(call: Call, now: number): Call {
  if (!call.handoff || call.handoff.isSourceLost) return call;
  const { userId, from } = call.handoff;
  const happening = { kind: "media" as const, by: { userId, deviceId: from }, state: "failed" as const };
  return committed(call, { handoff: { ...call.handoff, isSourceLost: true } }, happening, now);
}

/** The new device's media did not come in time. */
export function handoffOverdue(call: Call, now: number): Call {
  const isOverdue = isLive(call) && call.handoff !== null && now >= call.handoff.until;
  return isOverdue && participantOf(call, call.handoff?.userId ?? "") ? dropped(call, now) : call;
}
