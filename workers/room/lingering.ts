import type { DeviceRef } from "../../schema/ids.ts";
import { ROOM_MOVE_MS, ROOM_OVERLAP_MS } from "../../schema/limits.ts";
import { type Command, type Context, chain, type Step, unchanged } from "./events.ts";
import {
  forgetPlace,
  hasPlace,
  isSame,
  isUpAt,
  nameOf,
  tellOthers,
  toNode,
  updated,
  withMember,
  withPlaced,
} from "./members.ts";
import type { Lingering, Member, Room } from "./state.ts";

/**
 * Who leaves a node that wants to stop keeps the place there until media flows in the next one, so that nobody misses
 * them meanwhile: make before break, within one epoch. Pure.
 */

export function mayLinger(room: Room, member: Member): boolean {
  const isDraining = room.placed.satellites.some((each) => each.nodeId === member.nodeId && each.isDraining);
  return isDraining && hasPlace(room, member) && isUpAt(room, member.nodeId);
}

/** What is asked of it, and said of it, is of no use any more; its media goes on. */
export function linger(room: Room, member: Member, now: number): Room {
  const { userId, deviceId, participantId, nodeId } = member;
  if (nodeId === null) return room;
  const place: Lingering = { userId, deviceId, participantId, nodeId, until: now + ROOM_MOVE_MS };
  const emptied = forgetPlace(withMember(room, { ...member, epoch: 0 }), participantId);
  return withPlaced(emptied, { lingering: [...room.placed.lingering, place] });
}

/** It has joined elsewhere: ICE and DTLS take a few round trips. */
export function settleLingering(room: Room, device: DeviceRef, now: number): Room {
  const until = now + ROOM_OVERLAP_MS;
  const isSettled = (place: Lingering) => isSame(place, device) && place.until > until;
  if (!room.placed.lingering.some(isSettled)) return room;
  const lingering = room.placed.lingering.map((place) => (isSettled(place) ? { ...place, until } : place));
  return withPlaced(room, { lingering });
}

export function lingeringDue(room: Room, context: Context): Step {
  return endLingering(room, ({ until }) => until <= context.now, context);
}

/** These places are over: their nodes are told, and the others see that they are empty. */
export function endLingering(room: Room, isOver: (place: Lingering) => boolean, context: Context): Step {
  const over = room.placed.lingering.filter(isOver);
  if (over.length === 0) return unchanged(room);
  const next = withPlaced(room, { lingering: room.placed.lingering.filter((place) => !over.includes(place)) });
  return chain(next, ...over.map((place) => (is: Room) => ({ room: is, commands: ending(is, place, context) })));
}

/** That a user has left the call the others hear from the call itself. */
function ending(room: Room, place: Lingering, { call }: Context): Command[] {
  const { participantId, nodeId } = place;
  const { epoch } = room.placed;
  const left = isUpAt(room, nodeId) ? [toNode(epoch, nodeId, { type: "participant_leave", participantId })] : [];
  const isInCall = call.devices.some(({ userId }) => userId === place.userId);
  const empty = updated(place, { tracks: [], name: nameOf(call, place) });
  return [...left, ...(isInCall ? tellOthers(room, place, empty) : [])];
}
