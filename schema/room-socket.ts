import * as z from "zod";
import { describe, ErrorCode, type Refusal } from "./errors.ts";
import { Uuid } from "./ids.ts";
import { parseJson } from "./json.ts";
import { MAX_FRAME, MAX_PARTICIPANTS, MAX_ROOM_SDP } from "./limits.ts";
import {
  MAX_SENT_TRACKS,
  ParticipantId,
  ReceivedTrack,
  RoomTrack,
  SentTrack,
  TrackSource,
  VideoRequest,
} from "./room.ts";
import { PipeClose, PipeConnect, PipeOpen, PipeOpened, PipeTrack, PipeTrackChanged } from "./room-pipe.ts";

/**
 * The room socket between an SFU node and the CallObject of one room: text frames of JSON. The FleetObject asks a node
 * to open a room (`room_open`), the node dials `GET /sfu/rooms/:callId?epoch=&nodeId=` with its key, and the socket is
 * the room's life: when it closes, the node has lost the room, or the room is over. The node knows participants by
 * their ids alone, and forwards nothing between rooms.
 */

/** Close code of a socket whose epoch is over: the room is on another node. */
export const CLOSE_STALE_EPOCH = 4002;
/** Close code of the room's end. */
export const CLOSE_ROOM_OVER = 4003;

/** How long a node has for a reply. Longer leaves a client without an answer to its offer. */
export const ROOM_REPLY_MS = 5_000;
/** How long a node has to say that it lives, when its clients have lost their ICE. Longer lengthens their silence. */
export const ROOM_PROBE_MS = 1_000;

/** Repeated by the reply as `re`. */
const RequestId = z.string().min(1).max(64);
const RoomSdp = z.string().min(1).max(MAX_ROOM_SDP);
const SentTracks = z.array(SentTrack).max(MAX_SENT_TRACKS);
const ReceivedTracks = z.array(ReceivedTrack);

/** A device comes in, with its offer. The reply is `participant_joined` or `room_error`. */
export const ParticipantJoin = z.object({
  type: z.literal("participant_join"),
  id: RequestId,
  participantId: ParticipantId,
  sdp: RoomSdp,
  tracks: SentTracks,
  /** Sources that its user has muted. */
  muted: z.array(TrackSource),
});

/** The client offers anew: tracks added or removed, ICE restarted. The reply is `offer_answered` or `room_error`. */
export const ParticipantOffer = z.object({
  type: z.literal("participant_offer"),
  id: RequestId,
  participantId: ParticipantId,
  sdp: RoomSdp,
  tracks: SentTracks,
});

/** The client's answer to `room_offer`. A wrong one gets a `room_error`, a right one no reply. */
export const ParticipantAnswer = z.object({
  type: z.literal("participant_answer"),
  id: RequestId,
  participantId: ParticipantId,
  negotiationId: z.int().positive().optional(),
  sdp: RoomSdp,
});

/** What the client mutes and what it wants to see: each list replaces the former; what is left out stays. */
export const ParticipantUpdate = z.object({
  type: z.literal("participant_update"),
  participantId: ParticipantId,
  muted: z.array(TrackSource).optional(),
  wants: z
    .array(VideoRequest)
    .max(2 * MAX_PARTICIPANTS)
    .optional(),
});

export const ParticipantLeave = z.object({ type: z.literal("participant_leave"), participantId: ParticipantId });

/** Asks whether the node lives; the reply is `room_alive`. */
export const RoomProbe = z.object({ type: z.literal("room_probe"), id: RequestId });

export const ToNode = z.discriminatedUnion("type", [
  ParticipantJoin,
  ParticipantOffer,
  ParticipantAnswer,
  ParticipantUpdate,
  ParticipantLeave,
  RoomProbe,
  PipeOpen,
  PipeConnect,
  PipeClose,
  PipeTrack,
  PipeTrackChanged,
]);
export type ToNode = z.infer<typeof ToNode>;

/** The reply to `participant_join`. `tracks`: what the SFU's m-lines in the answer carry. */
export const ParticipantJoinedRoom = z.object({
  type: z.literal("participant_joined"),
  re: RequestId,
  participantId: ParticipantId,
  sdp: RoomSdp,
  tracks: ReceivedTracks,
});

export const OfferAnswered = z.object({
  type: z.literal("offer_answered"),
  re: RequestId,
  participantId: ParticipantId,
  sdp: RoomSdp,
  tracks: ReceivedTracks,
});

/** What was asked could not be done; nothing of the room has changed. */
export const RoomError = z.object({
  type: z.literal("room_error"),
  re: RequestId,
  participantId: ParticipantId,
  code: ErrorCode,
  message: z.string().max(1_000),
});

export const RoomAlive = z.object({ type: z.literal("room_alive"), re: RequestId });

/** The SFU offers: somebody came, left, or changed their tracks. One at a time for each participant. */
export const RoomOffer = z.object({
  type: z.literal("room_offer"),
  participantId: ParticipantId,
  negotiationId: z.int().positive(),
  sdp: RoomSdp,
  tracks: ReceivedTracks,
});

/** What somebody sends now, and what of it is muted. */
export const ParticipantTracks = z.object({
  type: z.literal("participant_tracks"),
  participantId: ParticipantId,
  tracks: z.array(RoomTrack).max(MAX_SENT_TRACKS),
});

/**
 * How high anybody wants to see this video of the participant's, in pixels; 0: nobody wants it. What is larger need
 * not be sent. `null`: as high as it is.
 */
export const VideoWanted = z.object({
  type: z.literal("video_wanted"),
  participantId: ParticipantId,
  source: z.enum(["camera", "screen"]),
  height: z.int().nonnegative().nullable(),
});

/** Sent when another participant than before speaks. */
export const DominantSpeaker = z.object({ type: z.literal("dominant_speaker"), participantId: ParticipantId });

/** The participant's connection is gone (ICE or DTLS), or its worker, or it answers no offer: it has to join anew. */
export const ParticipantLost = z.object({
  type: z.literal("participant_lost"),
  participantId: ParticipantId,
  reason: z.enum(["ice", "dtls", "worker", "no_answer"]),
});

/** The node wants to be rid of the room: it should be moved, and is served until then. */
export const RoomDraining = z.object({ type: z.literal("room_draining"), deadlineMs: z.int().nonnegative() });

export const FromNode = z.discriminatedUnion("type", [
  ParticipantJoinedRoom,
  OfferAnswered,
  RoomError,
  RoomAlive,
  RoomOffer,
  ParticipantTracks,
  VideoWanted,
  DominantSpeaker,
  ParticipantLost,
  RoomDraining,
  PipeOpened,
  PipeTrack,
  PipeTrackChanged,
]);
export type FromNode = z.infer<typeof FromNode>;

/** The query of the room socket's URL. */
export const RoomSocketQuery = z.object({ epoch: z.coerce.number().int().positive(), nodeId: Uuid });

export type ParsedFromNode =
  | { readonly ok: true; readonly message: FromNode }
  | { readonly ok: false; readonly refusal: Refusal };

/** Validates what a node sent on a room socket. Never throws. */
export function parseFromNode(frame: string | ArrayBuffer): ParsedFromNode {
  if (typeof frame !== "string") return refuse("bad_message", "binary frames are not part of the protocol");
  if (frame.length > MAX_FRAME) return refuse("too_large", `a frame holds at most ${MAX_FRAME} characters`);
  const message = FromNode.safeParse(parseJson(frame));
  return message.success ? { ok: true, message: message.data } : refuse("bad_message", describe(message.error));
}

/** A frame from the CallObject, or `undefined` for one of a newer protocol, which nodes ignore. */
export function parseToNode(frame: string): ToNode | undefined {
  const parsed = ToNode.safeParse(parseJson(frame));
  return parsed.success ? parsed.data : undefined;
}

function refuse(code: ErrorCode, message: string): ParsedFromNode {
  return { ok: false, refusal: { code, message } };
}
