import type { LegState } from "../../schema/call.ts";
import type { DeviceRef } from "../../schema/ids.ts";
import type { Actor, Answer, Call, Leg, Participant, Stay } from "./state.ts";

/** Who is in a call, with which devices, and whom that makes peers. Pure. */

export function same(a: DeviceRef, b: DeviceRef): boolean {
  return a.userId === b.userId && a.deviceId === b.deviceId;
}

/** The device alone, without what its user is called. */
export function deviceOf({ userId, deviceId }: DeviceRef): DeviceRef {
  return { userId, deviceId };
}

export function actorOf({ userId, deviceId }: Actor): Actor {
  return { userId, deviceId };
}

export function participantOf(call: Call, userId: string): Participant | undefined {
  return call.participants.find((participant) => participant.userId === userId && !participant.isUnknown);
}

export function answerOf(call: Call): Answer | null {
  return call.phase.kind === "ringing" ? null : call.phase.answer;
}

export function isLive(call: Call): boolean {
  return call.phase.kind !== "ringing" && call.phase.kind !== "ended";
}

export function isGroup(call: Call): boolean {
  return call.callType === "group";
}

/** The devices with which somebody is in the call now. */
export function devicesIn(participant: Participant): string[] {
  return participant.stays.flatMap((stay) => (stay.leftAt === null ? [stay.deviceId] : []));
}

/** The device that has somebody's media: of two the one that came last. */
export function deviceIn(participant: Participant): string | null {
  return devicesIn(participant).at(-1) ?? null;
}

export function isIn(call: Call, { userId, deviceId }: DeviceRef): boolean {
  const participant = participantOf(call, userId);
  return participant !== undefined && devicesIn(participant).includes(deviceId);
}

/** The device that is taking the call over and has no part in it yet. */
export function isTarget(call: Call, { userId, deviceId }: DeviceRef): boolean {
  return isLive(call) && call.handoff?.userId === userId && call.handoff.to === deviceId;
}

/** The two people whose media is peer to peer, by the devices that have it. */
function pairOf(call: Call): readonly [DeviceRef, DeviceRef] | null {
  const answer = answerOf(call);
  if (!call.isPair || answer === null || call.phase.kind === "ended") return null;
  const caller = current(call, call.caller.userId);
  const answerer = current(call, answer.by.userId);
  return caller && answerer ? [caller, answerer] : null;
}

function current(call: Call, userId: string): DeviceRef | null {
  const participant = participantOf(call, userId);
  const deviceId = participant ? deviceIn(participant) : null;
  return deviceId === null ? null : { userId, deviceId };
}

/** The device at the other end of `device`'s media; null while there is none. */
export function peerOf(call: Call, device: DeviceRef): DeviceRef | null {
  const pair = pairOf(call);
  if (!pair) return null;
  const [caller, answerer] = pair;
  const side = isTarget(call, device) ? { ...device, deviceId: call.handoff?.from ?? "" } : device;
  if (same(side, caller)) return answerer;
  return same(side, answerer) ? caller : null;
}

/**
 * Where something for the other end goes, which may have two connections during a handoff. An answer that names
 * none is for the new one: only that one has an offer open.
 */
export function routeOf(call: Call, from: DeviceRef, connectionId: string | undefined, isAnswer: boolean) {
  const peer = peerOf(call, from);
  const { handoff } = call;
  if (!peer || !handoff || handoff.userId !== peer.userId) return peer;
  const isForNew = connectionId === undefined ? isAnswer : connectionId === handoff.connectionId;
  return isForNew ? { userId: peer.userId, deviceId: handoff.to } : peer;
}

/** A device on which the user pressed "ignore" has alerted: the caller goes on hearing ringing. */
export function alertingLegs(participant: Participant): Leg[] {
  return participant.legs.filter((leg) => leg.state === "alerting" || leg.state === "ignored");
}

/** Their object knows nothing of the call, and never will. */
export function isTurnedAway({ silence }: Participant): boolean {
  return silence === "silent" || silence === "blocked";
}

export function isInvited(participant: Participant): boolean {
  return participant.state === "invited" && !participant.isUnknown;
}

/** Known only once the callee's object has told whom it rang. */
export function hasNobodyToRing(call: Call, participant: Participant): boolean {
  const hasTold = call.heard[participant.userId] !== undefined;
  return isInvited(participant) && hasTold && participant.silence === "none" && participant.legs.length === 0;
}

/** Every device that may still be answered says that its user is busy. */
export function isBusy(participant: Participant): boolean {
  const legs = participant.legs.filter((leg) => leg.state !== "ignored" && leg.state !== "cancelled");
  return legs.length > 0 && legs.every((leg) => leg.state === "busy");
}

export function isOpen(leg: Leg): boolean {
  return leg.state === "notified" || leg.state === "pushed" || leg.state === "alerting";
}

/** Its app is awake. */
export function hasReacted(leg: Leg): boolean {
  return !isOpen(leg) ? leg.state !== "cancelled" : leg.state === "alerting";
}

export function withParticipant(call: Call, changed: Participant): Call {
  return { ...call, participants: call.participants.map((p) => (p.userId === changed.userId ? changed : p)) };
}

export function legOf(participant: Participant, deviceId: string): Leg | undefined {
  return participant.legs.find((leg) => leg.deviceId === deviceId);
}

export function withLeg(participant: Participant, deviceId: string, state: LegState): Participant {
  const others = participant.legs.filter((leg) => leg.deviceId !== deviceId);
  return { ...participant, legs: [...others, { deviceId, state }] };
}

export function withClosedLegs(participant: Participant): Participant {
  const legs = participant.legs.map((leg): Leg => (isOpen(leg) ? { ...leg, state: "cancelled" } : leg));
  return { ...participant, legs };
}

export function withStay(participant: Participant, deviceId: string, now: number): Participant {
  const stay: Stay = { deviceId, joinedAt: now, leftAt: null, isMoved: false };
  return { ...participant, stays: [...participant.stays, stay] };
}

/** Ends the stays of `deviceIds`. */
export function withoutStays(participant: Participant, deviceIds: readonly string[], at: number, isMoved = false) {
  const stays = participant.stays.map((stay): Stay => {
    const isEnding = stay.leftAt === null && deviceIds.includes(stay.deviceId);
    return isEnding ? { ...stay, leftAt: at, isMoved } : stay;
  });
  return { ...participant, stays };
}
