import * as z from "zod";
import { DeviceId, UserId } from "./ids.ts";

/** The vocabulary of a room: the media of a group call, which an SFU node forwards. */

/** What a track shows or plays (as `MediaStreamTrack`s come from capture, W3C Media Capture and Screen Capture). */
export const TrackSource = z.enum(["camera", "microphone", "screen", "screen_audio"]);
export type TrackSource = z.infer<typeof TrackSource>;

export const MediaKind = z.enum(["audio", "video"]);
export type MediaKind = z.infer<typeof MediaKind>;

/** The kind of media that each source gives. */
export const KIND_OF: Readonly<Record<TrackSource, MediaKind>> = {
  camera: "video",
  microphone: "audio",
  screen: "video",
  screen_audio: "audio",
};

/**
 * Names the place of one device in a room, from its joining to its leaving. It is the `a=msid` stream id of the
 * tracks that the SFU sends (RFC 8830, section 2: at most 64 characters), so that any WebRTC stack can tell whose
 * they are.
 */
export const ParticipantId = z.string().regex(/^[A-Za-z0-9-]{1,36}$/);
export type ParticipantId = z.infer<typeof ParticipantId>;

/** `a=mid` (RFC 5888, section 4); 16 is what the MID header extension takes (RFC 8843, section 15). */
export const Mid = z.string().regex(/^[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]{1,16}$/, "1 to 16 characters of an SDP token");
export type Mid = z.infer<typeof Mid>;

/** Each connection to a room, and each move of the room to another node, has an epoch of its own, one after another. */
export const Epoch = z.int().positive();
export type Epoch = z.infer<typeof Epoch>;

/** Says of a client's m-line what it carries. Without it an audio line is a microphone and a video line a camera. */
export const SentTrack = z.object({ mid: Mid, source: TrackSource });
export type SentTrack = z.infer<typeof SentTrack>;

/** Says of an SFU's m-line whose track it carries. */
export const ReceivedTrack = z.object({ mid: Mid, participantId: ParticipantId, source: TrackSource });
export type ReceivedTrack = z.infer<typeof ReceivedTrack>;

export const RoomTrack = z.object({ source: TrackSource, muted: z.boolean() });
export type RoomTrack = z.infer<typeof RoomTrack>;

/** Somebody in a room, as the others see them. */
export const RoomParticipant = z.object({
  participantId: ParticipantId,
  userId: UserId,
  deviceId: DeviceId,
  name: z.string(),
  tracks: z.array(RoomTrack),
});
export type RoomParticipant = z.infer<typeof RoomParticipant>;

/** Pixels; more than any camera has. */
const MAX_HEIGHT = 4_320;
export const MAX_PRIORITY = 255;
/** Tracks that one participant sends: each source twice. */
export const MAX_SENT_TRACKS = 8;

/**
 * What a participant wants of somebody's video. Shown 180 pixels high, it need not be sent 720 high; `height` 0: not
 * at all. Where the bandwidth does not do for all, those of a higher priority get theirs first (0 to 255, default 1).
 */
export const VideoRequest = z.object({
  participantId: ParticipantId,
  source: z.enum(["camera", "screen"]).default("camera"),
  height: z.int().min(0).max(MAX_HEIGHT),
  priority: z.int().min(0).max(MAX_PRIORITY).optional(),
});
export type VideoRequest = z.infer<typeof VideoRequest>;
