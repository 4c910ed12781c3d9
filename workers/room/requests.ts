import type { RoomMessage } from "../../schema/client-messages.ts";
import type { Refusal } from "../../schema/errors.ts";
import type { DeviceRef } from "../../schema/ids.ts";
import { ROOM_REPLY_MS } from "../../schema/room-socket.ts";
import { chain, refusal, type Step, tell, UNAVAILABLE, unchanged } from "./events.ts";
import { forgetPlace, hasPlace, isUpAt, memberAs, memberOf, toNodeOf, withLive, withMember } from "./members.ts";
import type { Member, Request, Room } from "./state.ts";

/** What devices in a room ask of its node, and what becomes of what it does not answer. Pure. */

type Message<T extends RoomMessage["type"]> = Extract<RoomMessage, { type: T }>;

const NOT_IN_ROOM: Refusal = { code: "forbidden", message: "room_join first: this device is not in the room" };
const NEGOTIATING: Refusal = { code: "forbidden", message: "an offer of this device is being answered" };

/** The client offers anew, in the room where it is. */
export function renegotiate(room: Room, from: DeviceRef, message: Message<"renegotiate">, now: number): Step {
  const { id: re, epoch, sdp, tracks = [] } = message;
  const member = memberOf(room, from);
  if (!member) return { room, commands: [refusal(from, re, NOT_IN_ROOM)] };
  if (epoch !== room.placed.epoch || !hasPlace(room, member)) return stale(room, from, re);
  if (member.nodeId === null || !isUpAt(room, member.nodeId))
    return { room, commands: [refusal(from, re, UNAVAILABLE)] };
  const { participantId, nodeId } = member;
  const pending = room.live.requests.find((request) => request.participantId === participantId);
  if (pending) {
    const isRepeated = re !== undefined && pending.re === re;
    return { room, commands: isRepeated ? [] : [refusal(from, re, NEGOTIATING)] };
  }
  const id = `${participantId}:${now}`;
  const request: Request = { id, kind: "offer", participantId, nodeId, re: re ?? null, until: now + ROOM_REPLY_MS };
  return {
    room: withLive(room, { requests: [...room.live.requests, request] }),
    commands: toNodeOf(member, { type: "participant_offer", id, participantId, sdp, tracks }),
  };
}

/** The room that is meant is over: the device hears where it is now. */
export function stale(room: Room, from: DeviceRef, re: string | undefined): Step {
  const { epoch } = room.placed;
  const message = `epoch: that room is over, the call's media is in the room of epoch ${epoch}: room_join`;
  const moved = tell(from, { type: "room_moved", epoch, deadlineMs: 0 });
  return { room, commands: [refusal(from, re, { code: "room_unavailable", message }), moved] };
}

/** One that crosses a move answers an offer that is of no use any more. */
export function answer(room: Room, from: DeviceRef, message: Message<"renegotiate_answer">, now: number): Step {
  const { epoch, sdp, negotiationId, id: re } = message;
  const member = memberOf(room, from);
  if (!member) return { room, commands: [refusal(from, re, NOT_IN_ROOM)] };
  if (epoch !== room.placed.epoch || !hasPlace(room, member) || !isUpAt(room, member.nodeId)) return unchanged(room);
  const { participantId } = member;
  const named = negotiationId === undefined ? {} : { negotiationId };
  const id = `${participantId}:${now}:answer`;
  return { room, commands: toNodeOf(member, { type: "participant_answer", id, participantId, ...named, sdp }) };
}

/** What is muted is remembered, and comes along when the room moves. */
export function update(room: Room, from: DeviceRef, { muted, wants, id: re }: Message<"room_update">): Step {
  const member = memberOf(room, from);
  if (!member) return { room, commands: [refusal(from, re, NOT_IN_ROOM)] };
  const { participantId } = member;
  const next = muted ? withLive(room, { muted: { ...room.live.muted, [participantId]: muted } }) : room;
  if (!hasPlace(room, member)) return unchanged(next);
  if (!isUpAt(room, member.nodeId)) return { room, commands: [refusal(from, re, UNAVAILABLE)] };
  const change = { ...(muted && { muted }), ...(wants && { wants }) };
  return { room: next, commands: toNodeOf(member, { type: "participant_update", participantId, ...change }) };
}

/** Nobody answers any more. */
export function unanswered(room: Room): Step {
  return chain(room, ...room.live.requests.map((request) => (now: Room) => fail(now, request, UNAVAILABLE)));
}

/** A device whose joining has failed is in no room; what it had muted stays. */
export function fail(room: Room, request: Request, why: Refusal): Step {
  const member = memberAs(room, request.participantId);
  const requests = room.live.requests.filter(({ id }) => id !== request.id);
  const next = withLive(room, { requests });
  if (!member) return unchanged(next);
  const commands = [refusal(member, request.re, why)];
  return { room: request.kind === "join" ? outside(next, member) : next, commands };
}

function outside(room: Room, member: Member): Room {
  return withMember(forgetPlace(room, member.participantId), { ...member, epoch: 0 });
}

/** The node has not answered in time. It may still do so, and is not to let anybody in. */
export function overdue(room: Room, request: Request): Step {
  const { participantId } = request;
  const member = memberAs(room, participantId);
  const isUp = request.kind === "join" && isUpAt(room, member?.nodeId ?? null);
  const leave = member && isUp ? toNodeOf(member, { type: "participant_leave", participantId }) : [];
  return chain(
    room,
    (now) => fail(now, request, UNAVAILABLE),
    (now) => ({ room: now, commands: leave }),
  );
}
