import type { LegState } from "../../schema/call.ts";
import type { DeviceRef } from "../../schema/ids.ts";
import type { Answer, Call, Leg, Participant } from "./state.ts";

/** Who is in a call, with which devices, and whom that makes peers. Pure. */

export function same(a: DeviceRef, b: DeviceRef): boolean {
  return a.userId === b.userId && a.deviceId === b.deviceId;
}

export function participantOf(call: Call, userId: string): Participant | undefined {
  return call.participants.find((participant) => participant.userId === userId);
}

export function answerOf(call: Call): Answer | null {
  return call.phase.kind === "ringing" ? null : call.phase.answer;
}

/** The device at the other end of `device`'s media; null while there is none. */
export function peerOf(call: Call, device: DeviceRef): DeviceRef | null {
  const answer = answerOf(call);
  if (answer === null || call.phase.kind === "ended") return null;
  if (same(device, call.caller)) return answer.by;
  return same(device, answer.by) ? { userId: call.caller.userId, deviceId: call.caller.deviceId } : null;
}

/** A device on which the user pressed "ignore" has alerted: the caller goes on hearing ringing. */
export function alertingLegs(participant: Participant): Leg[] {
  return participant.legs.filter((leg) => leg.state === "alerting" || leg.state === "ignored");
}

export function hasAlerted(call: Call): boolean {
  return call.participants.some((participant) => alertingLegs(participant).length > 0);
}

/** The legs are known only once each callee's object has told whom it rang. */
function legsOf(call: Call): readonly Leg[] | null {
  const callees = call.participants.filter((participant) => participant.role === "callee");
  if (callees.some((callee) => call.heard[callee.userId] === undefined)) return null;
  return callees.flatMap((callee) => callee.legs);
}

export function nobodyRings(call: Call): boolean {
  return legsOf(call)?.length === 0;
}

export function everybodyBusy(call: Call): boolean {
  const legs = legsOf(call)?.filter((leg) => leg.state !== "ignored" && leg.state !== "cancelled") ?? [];
  return legs.length > 0 && legs.every((leg) => leg.state === "busy");
}

export function isOpen(leg: Leg): boolean {
  return leg.state === "notified" || leg.state === "alerting";
}

export function withParticipant(call: Call, changed: Participant): Call {
  return { ...call, participants: call.participants.map((p) => (p.userId === changed.userId ? changed : p)) };
}

export function legOf(participant: Participant, deviceId: string): Leg | undefined {
  return participant.legs.find((leg) => leg.deviceId === deviceId);
}

export function withLeg(call: Call, participant: Participant, deviceId: string, state: LegState): Call {
  const others = participant.legs.filter((leg) => leg.deviceId !== deviceId);
  return withParticipant(call, { ...participant, legs: [...others, { deviceId, state }] });
}

export function otherLegs(participant: Participant, deviceId: string, state: LegState): Leg[] {
  return participant.legs
    .filter((leg) => leg.deviceId !== deviceId)
    .map((leg) => (isOpen(leg) ? { ...leg, state } : leg));
}

/** The device alone, without what its user is called. */
export function deviceOf({ userId, deviceId }: DeviceRef): DeviceRef {
  return { userId, deviceId };
}
