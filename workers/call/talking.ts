import type { DeviceRef } from "../../schema/ids.ts";
import { committed, ended, settled } from "./commit.ts";
import { done, type MediaState, NOT_IN_CALL, type Step } from "./events.ts";
import { dropped, moved, sourceLost } from "./handoff.ts";
import {
  deviceOf,
  devicesIn,
  isGroup,
  isIn,
  isInvited,
  isLive,
  isTarget,
  withoutStays,
  withParticipant,
} from "./people.ts";
import { decline, settle } from "./ringing.ts";
import type { Answer, Call, Participant } from "./state.ts";

/** What those who are in the call do: media, hold, leaving. Pure. */

export function media(call: Call, participant: Participant, from: DeviceRef, state: MediaState, now: number): Step {
  if (isTarget(call, from)) return done(targetMedia(call, participant, state, now));
  if (!isLive(call) || !isIn(call, from)) return { call, verdict: NOT_IN_CALL };
  switch (state) {
    case "connected":
      return done(flowing(call, from, now));
    case "recovering":
      return done(recovering(call, from, now));
    case "failed":
      return done(failed(call, participant, from, now));
  }
}

function targetMedia(call: Call, participant: Participant, state: MediaState, now: number): Call {
  switch (state) {
    case "connected":
      return moved(call, participant, now);
    case "failed":
      return dropped(call, now);
    case "recovering":
      return call;
  }
}

function flowing(call: Call, by: DeviceRef, now: number): Call {
  const { phase } = call;
  if (phase.kind !== "connecting" && phase.kind !== "reconnecting") return call;
  return live(call, "connected", phase.answer, by, now);
}

/** In a group one member's path says nothing of the others'. */
function recovering(call: Call, by: DeviceRef, now: number): Call {
  const { phase } = call;
  return phase.kind === "connected" && !isGroup(call) ? live(call, "reconnecting", phase.answer, by, now) : call;
}

/** With media up nobody needs the descriptions any more: the row shrinks with the first report. */
function live(call: Call, kind: "connected" | "reconnecting", answer: Answer, by: DeviceRef, now: number): Call {
  const change: Partial<Call> = { phase: { kind, answer }, lastSignAt: now, offer: null, answerSdp: null };
  const state = kind === "connected" ? "connected" : "recovering";
  return committed(call, change, { kind: "media", by: deviceOf(by), state }, now);
}

function failed(call: Call, participant: Participant, by: DeviceRef, now: number): Call {
  if (call.handoff?.userId === by.userId && call.handoff.from === by.deviceId) return sourceLost(call, now);
  const reported = committed(call, {}, { kind: "media", by: deviceOf(by), state: "failed" }, now);
  if (!isGroup(call)) return ended(reported, { outcome: "failed", reason: "media_failed", by, at: now });
  return settle(withParticipant(reported, settled(participant, "left", "media_failed", by, now)), now);
}

export function hold(call: Call, participant: Participant, by: DeviceRef, on: boolean, now: number): Step {
  if (!isLive(call) || !isIn(call, by)) return { call, verdict: NOT_IN_CALL };
  if (participant.isHolding === on) return done(call);
  const next = withParticipant(call, { ...participant, isHolding: on });
  return done(committed(next, { lastSignAt: now }, { kind: "held", by: deviceOf(by), on }, now));
}

export function end(call: Call, participant: Participant, by: DeviceRef, now: number): Step {
  if (call.phase.kind === "ended") return { call, verdict: { kind: "over" } };
  if (isInvited(participant)) return decline(call, participant, by, now);
  if (!isIn(call, by) && !isTarget(call, by)) {
    // Who has left a group call before hears again that it is over for them.
    const hasLeft = participant.stays.some(({ deviceId, isMoved }) => deviceId === by.deviceId && !isMoved);
    return { call, verdict: hasLeft ? { kind: "over" } : NOT_IN_CALL };
  }
  if (call.phase.kind === "ringing" && participant.role === "caller") {
    return done(ended(call, { outcome: "cancelled", reason: "caller_hung_up", by, at: now }));
  }
  if (!isGroup(call)) return done(ended(call, { outcome: "completed", reason: "hung_up", by, at: now }));
  return done(leave(call, participant, by, now));
}

/** A group call goes on without them; it is over when one is alone and nobody is rung any more. */
function leave(call: Call, participant: Participant, by: DeviceRef, now: number): Call {
  const others = devicesIn(participant).filter((deviceId) => deviceId !== by.deviceId);
  const next =
    others.length > 0 && !isTarget(call, by)
      ? withoutStays(participant, [by.deviceId], now)
      : settled(participant, "left", "hung_up", by, now);
  const handoff = call.handoff?.userId === by.userId ? null : call.handoff;
  return settle(committed(withParticipant(call, next), { handoff }, { kind: "left", by: deviceOf(by) }, now), now);
}
