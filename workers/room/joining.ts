import type { RoomMessage } from "../../schema/client-messages.ts";
import type { DeviceRef } from "../../schema/ids.ts";
import { MAX_PARTICIPANTS, MAX_WAITING_SDP, ROOM_OVERLAP_MS } from "../../schema/limits.ts";
import { type FromNode, ROOM_REPLY_MS } from "../../schema/room-socket.ts";
import { type Context, chain, type Event, refusal, type Step, tell, UNAVAILABLE, unchanged } from "./events.ts";
import { endLingering, linger, mayLinger, settleLingering } from "./lingering.ts";
import {
  forgetPlace,
  isInside,
  isSame,
  isUp,
  isUpAt,
  memberAs,
  memberOf,
  participants,
  toNode,
  vacate,
  withLive,
  withMember,
  without,
  withPlaced,
} from "./members.ts";
import { stale } from "./requests.ts";
import { seek } from "./seeking.ts";
import { choose, reach } from "./spanning.ts";
import type { Member, Request, Room, Waiting } from "./state.ts";

/** Devices come into a room and leave it. Pure. */

type Join = Extract<RoomMessage, { type: "room_join" }>;
type Asked = Extract<Event, { type: "asked" }>;
type Admission = Extract<FromNode, { type: "participant_joined" }>;

/** A device that is in already comes in anew, in another place: the simplest thing that is right whatever became of its connection. */
export function join(room: Room, event: Asked, message: Join, context: Context): Step {
  const { from, id: participantId, rtts } = event;
  const refused = refuse(room, from, message);
  if (refused) return refused;
  const { sdp, tracks = [], id: re = null, muted } = message;
  const waiting = { participantId, re, sdp, tracks, rtts };
  const known = memberOf(room, from);
  if (known && isRepeated(room, known, re)) return unchanged(room);
  return chain(
    room,
    (now) => (known ? supersede(now, known, context) : unchanged(now)),
    (now) => unchanged(waits(now, from, waiting, muted)),
    (now) => admit(now, from, context.now),
    (now) => (now.placed.phase.kind === "none" ? seek(now, context) : unchanged(now)),
  );
}

function refuse(room: Room, from: DeviceRef, { id: re, epoch, sdp }: Join): Step | null {
  const { members, epoch: current } = room.placed;
  if (epoch !== undefined && epoch !== current) return stale(room, from, re);
  const others = members.filter((member) => !isSame(member, from));
  if (others.length >= MAX_PARTICIPANTS) {
    const message = `a room has at most ${MAX_PARTICIPANTS} devices`;
    return { room, commands: [refusal(from, re, { code: "too_many_participants", message })] };
  }
  const waiting = others.reduce((sum, member) => sum + (member.waiting?.sdp.length ?? 0), 0);
  if ((isUp(room) && !room.placed.reaching) || waiting + sdp.length <= MAX_WAITING_SDP) return null;
  return { room, commands: [refusal(from, re, UNAVAILABLE)] };
}

/** Said again by a client that lost its socket: the reply is on its way. */
function isRepeated({ live }: Room, { waiting, participantId }: Member, re: string | null): boolean {
  if (re === null) return false;
  const isAsked = live.requests.some((request) => request.participantId === participantId && request.re === re);
  return isAsked || waiting?.re === re;
}

/** What the device had, or was waiting for, is over. */
function supersede(room: Room, member: Member, context: Context): Step {
  const unanswered = room.live.requests.filter(({ participantId }) => participantId === member.participantId);
  const replaced = { code: UNAVAILABLE.code, message: "replaced by a newer room_join of this device" };
  const waiting = member.waiting ? [member.waiting] : [];
  const { room: next, commands } = mayLinger(room, member)
    ? unchanged(linger(room, member, context.now))
    : vacate(room, member, context);
  return {
    room: next,
    commands: [...[...unanswered, ...waiting].map(({ re }) => refusal(member, re, replaced)), ...commands],
  };
}

function waits(room: Room, { userId, deviceId }: DeviceRef, waiting: Waiting, muted: Join["muted"]): Room {
  const known = memberOf(room, { userId, deviceId });
  const { participantId } = known ?? waiting;
  const member = known ?? { userId, deviceId, participantId, nodeId: null, epoch: 0, former: null, waiting };
  const next = withMember(room, { ...member, waiting });
  return muted ? withLive(next, { muted: { ...next.live.muted, [participantId]: muted } }) : next;
}

/** The node that is the best for a device that waits is asked to let it in, if it is there. */
export function admit(room: Room, device: DeviceRef, now: number): Step {
  const member = memberOf(room, device);
  const choice = member?.waiting && choose(room, member, now);
  if (!member?.waiting || !choice) return unchanged(room);
  if (choice.kind === "reach") return reach(room, choice.region, now);
  const { nodeId } = choice;
  if (!isUpAt(room, nodeId)) return unchanged(room);
  const { participantId, sdp, tracks, re } = member.waiting;
  const { epoch, old } = room.placed;
  const muted = room.live.muted[member.participantId] ?? [];
  const former = old && member.epoch === old.epoch ? member.participantId : member.former;
  const request: Request = { id: participantId, kind: "join", participantId, nodeId, re, until: now + ROOM_REPLY_MS };
  const placed = withMember(room, { ...member, participantId, nodeId, epoch, former, waiting: null });
  const next = withLive(placed, {
    requests: [...room.live.requests, request],
    muted: { ...without(room.live.muted, member.participantId), [participantId]: muted },
  });
  const ask = { id: request.id, participantId, sdp, tracks: [...tracks], muted: [...muted] };
  return { room: next, commands: [toNode(epoch, nodeId, { type: "participant_join", ...ask })] };
}

export function admitAll(room: Room, now: number): Step {
  return chain(room, ...room.placed.members.map((member) => (next: Room) => admit(next, member, now)));
}

/** The node has let it in. */
export function joined(room: Room, re: string | null, message: Admission, context: Context): Step {
  const member = memberAs(room, message.participantId);
  if (!member) return unchanged(room);
  const { epoch } = room.placed;
  const { participantId, sdp, tracks } = message;
  const people = participants(room, member, context);
  const reply = tell(member, {
    type: "room_joined",
    ...(re !== null && { re }),
    epoch,
    participantId,
    sdp,
    participants: people,
    tracks,
  });
  return chain(
    room,
    (now) => ({ room: now, commands: [reply, ...speakerFor(now, member)] }),
    (now) => unchanged(settleLingering(settleMove(now, context.now), member, context.now)),
  );
}

/** Who comes in learns who speaks. */
function speakerFor(room: Room, to: Member) {
  const speaker = room.live.speaker === null ? undefined : memberAs(room, room.live.speaker);
  if (!speaker) return [];
  const { userId, deviceId, participantId } = speaker;
  return [tell(to, { type: "dominant_speaker_changed", userId, deviceId, participantId })];
}

/** All have moved, and need the old room only until their media flows in the new one. */
export function settleMove(room: Room, now: number): Room {
  const { old, members } = room.placed;
  if (!old || !members.every((member) => isInside(room, member))) return room;
  const until = Math.min(old.until, now + ROOM_OVERLAP_MS);
  return until === old.until ? room : withPlaced(room, { old: { ...old, until } });
}

/** The device is not in the call any more. */
export function leave(room: Room, member: Member, context: Context): Step {
  const { old } = room.placed;
  const { former } = member;
  const left =
    old && former !== null ? [toNode(old.epoch, old.nodeId, { type: "participant_leave", participantId: former })] : [];
  return chain(
    room,
    (now) => vacate(now, member, context),
    (now) => endLingering(now, (place) => isSame(place, member), context),
    (now) => ({ room: settleMove(removed(now, member), context.now), commands: left }),
  );
}

function removed(room: Room, member: Member): Room {
  const forgotten = forgetPlace(room, member.participantId);
  const members = room.placed.members.filter((other) => !isSame(other, member));
  const muted = without(forgotten.live.muted, member.participantId);
  return withLive(withPlaced(forgotten, { members }), { muted });
}
