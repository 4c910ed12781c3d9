import type { FromNode } from "../../schema/room-socket.ts";
import { type Context, chain, hangUp, refusal, type Step, tell, unchanged } from "./events.ts";
import { joined } from "./joining.ts";
import { hasPlace, isHome, isInside, memberAs, nameOf, tellOthers, updated, vacate, withLive } from "./members.ts";
import { drained } from "./moving.ts";
import { alive } from "./probing.ts";
import { fail } from "./requests.ts";
import { relay } from "./satellites.ts";
import type { Request, Room } from "./state.ts";

/** What a room's node says, and to whom it goes. Pure. */

type Said<T extends FromNode["type"]> = Extract<FromNode, { type: T }>;

export function hear(room: Room, from: string, message: FromNode, context: Context): Step {
  if ("participantId" in message && !isItsToSay(room, from, message)) return unchanged(room);
  switch (message.type) {
    case "participant_joined":
      return replied(room, message, "join", (now, { re }) => joined(now, re, message, context));
    case "offer_answered":
      return replied(room, message, "offer", (now, request) => offerAnswered(now, request, message));
    case "room_error":
      return refused(room, message);
    case "room_alive":
      return alive(room, from, message.re);
    case "room_offer":
      return offered(room, message);
    case "participant_tracks":
      return sends(room, message, context);
    case "video_wanted":
      return wanted(room, message);
    case "dominant_speaker":
      return speaks(room, message);
    case "participant_lost":
      return left(room, message, context);
    case "room_draining":
      return drained(room, from, message.deadlineMs, context);
    case "pipe_opened":
    case "pipe_track":
    case "pipe_track_changed":
      return relay(room, from, message);
  }
}

/** Each node speaks for its own people. Who speaks, all of them hear at nearly the same time: the home node says it. */
function isItsToSay(room: Room, from: string, message: Extract<FromNode, { participantId: string }>): boolean {
  if (message.type === "dominant_speaker") return isHome(room, from);
  return memberAs(room, message.participantId)?.nodeId === from;
}

/** What nobody waits for any more has been answered otherwise. */
function replied(
  room: Room,
  { re, participantId }: Said<"participant_joined" | "offer_answered">,
  kind: Request["kind"],
  then: (room: Room, request: Request) => Step,
): Step {
  const request = room.live.requests.find(({ id }) => id === re);
  if (request?.kind !== kind || request.participantId !== participantId) return unchanged(room);
  const requests = room.live.requests.filter((other) => other !== request);
  return then(withLive(room, { requests }), request);
}

function offerAnswered(room: Room, { re }: Request, { participantId, sdp, tracks }: Said<"offer_answered">): Step {
  const member = memberAs(room, participantId);
  if (!member) return unchanged(room);
  const { epoch } = room.placed;
  const answer = { type: "renegotiate_answer" as const, ...(re !== null && { re }), epoch, sdp, tracks };
  return { room, commands: [tell(member, answer)] };
}

/** Of what has no request, an answer of the client's was wrong. */
function refused(room: Room, { re, participantId, code, message }: Said<"room_error">): Step {
  const request = room.live.requests.find((each) => each.id === re && each.participantId === participantId);
  if (request) return fail(room, request, { code, message });
  const member = memberAs(room, participantId);
  const isKnown = member && hasPlace(room, member) && re.startsWith(`${participantId}:`);
  return { room, commands: isKnown ? [refusal(member, null, { code, message })] : [] };
}

function offered(room: Room, { participantId, negotiationId, sdp, tracks }: Said<"room_offer">): Step {
  const member = memberAs(room, participantId);
  if (!member || !hasPlace(room, member)) return unchanged(room);
  const { epoch } = room.placed;
  return { room, commands: [tell(member, { type: "renegotiate", epoch, negotiationId, sdp, tracks })] };
}

/** An object that has lost what was muted learns it again from what the node says. */
function sends(room: Room, { participantId, tracks }: Said<"participant_tracks">, { call }: Context): Step {
  const member = memberAs(room, participantId);
  if (!member || !hasPlace(room, member)) return unchanged(room);
  const muted = room.live.muted[participantId] ?? tracks.flatMap((track) => (track.muted ? [track.source] : []));
  const next = withLive(room, {
    tracks: { ...room.live.tracks, [participantId]: tracks },
    muted: { ...room.live.muted, [participantId]: muted },
  });
  return { room: next, commands: tellOthers(next, member, updated(member, { tracks, name: nameOf(call, member) })) };
}

function wanted(room: Room, { participantId, source, height }: Said<"video_wanted">): Step {
  const member = memberAs(room, participantId);
  if (!member || !hasPlace(room, member)) return unchanged(room);
  return { room, commands: [tell(member, { type: "video_wanted", epoch: room.placed.epoch, source, height })] };
}

/** To everybody, and never the same twice. */
function speaks(room: Room, { participantId }: Said<"dominant_speaker">): Step {
  const member = memberAs(room, participantId);
  if (!member || !hasPlace(room, member) || room.live.speaker === participantId) return unchanged(room);
  const { userId, deviceId } = member;
  const inside = room.placed.members.filter((each) => isInside(room, each));
  const changed = { type: "dominant_speaker_changed" as const, userId, deviceId, participantId };
  return { room: withLive(room, { speaker: participantId }), commands: inside.map((each) => tell(each, changed)) };
}

/** The node has given the connection up. Who does not even answer offers reads nothing, and gets no more to read. */
function left(room: Room, { participantId, reason }: Said<"participant_lost">, context: Context): Step {
  const member = memberAs(room, participantId);
  if (!member || !hasPlace(room, member)) return unchanged(room);
  const request = room.live.requests.find((each) => each.participantId === participantId);
  const gone = { code: "room_unavailable" as const, message: "the connection is gone" };
  return chain(
    room,
    (now) => (request ? fail(now, request, gone) : unchanged(now)),
    (now) => vacate(now, memberAs(now, participantId) ?? member, context),
    (now) => ({ room: now, commands: [tell(member, { type: "recover", action: "rejoin" })] }),
    (now) => (reason === "no_answer" ? { room: now, commands: [hangUp(member)] } : unchanged(now)),
  );
}
