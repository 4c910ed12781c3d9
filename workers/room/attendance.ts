import { devicesIn, isGroup, isInvited, isLive } from "../call/people.ts";
import type { Call, Participant } from "../call/state.ts";
import type { Attendance, Attendee } from "./events.ts";

/** What a room needs to know of its call. Pure. */

/** A third device is where peer to peer ends. */
const ROOM_FROM = 3;

export function attendanceOf(call: Call): Attendance {
  const devices = isLive(call) ? call.participants.flatMap((participant) => attendees(call, participant)) : [];
  const isRoom = isGroup(call) && isLive(call);
  return {
    isLive: isLive(call),
    isGroup: isGroup(call),
    isRinging: isRoom && call.participants.some(isInvited),
    isPair: call.isPair,
    isWanted: isRoom && (!call.isPair || devices.length >= ROOM_FROM),
    devices,
  };
}

/** With the device that is taking the call over: it has to be in the room before the other one leaves it. */
function attendees({ handoff }: Call, participant: Participant): Attendee[] {
  const { userId, name } = participant;
  const target = handoff?.userId === userId ? [handoff.to] : [];
  const all = new Set([...devicesIn(participant), ...target]);
  return [...all].map((deviceId) => ({ userId, deviceId, name }));
}

/** How many people may come into the room. */
export function expectedIn({ participants }: Call): number {
  return participants.filter((participant) => participant.state === "joined" || isInvited(participant)).length;
}
