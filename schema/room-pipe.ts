import * as z from "zod";
import { Uuid } from "./ids.ts";
import { MediaKind, ParticipantId, TrackSource } from "./room.ts";

/**
 * A room over several nodes: two nodes of a room are joined by a pipe, and each track crosses it once, however many
 * there watch it. The CallObject, which alone knows both, carries what they say to each other; media goes directly.
 */

/** SRTP between the two (RFC 3711, RFC 7714), with a key of the pipe's own that the edge hands on. */
export const PipeAddress = z.object({
  ip: z.string().min(1).max(255),
  port: z.int().min(1).max(65_535),
  srtp: z.object({
    cryptoSuite: z.enum(["AEAD_AES_256_GCM", "AEAD_AES_128_GCM"]),
    keyBase64: z.string().min(1).max(128),
  }),
});
export type PipeAddress = z.infer<typeof PipeAddress>;

/** The node at the other end of a pipe. */
const peerNodeId = Uuid;
/** RTP parameters in mediasoup's words, as JSON: only nodes read it. */
const RtpParameters = z
  .string()
  .min(2)
  .max(16 * 1024);

/** To a node: make your end of a pipe. The reply is `pipe_opened`. */
export const PipeOpen = z.object({ type: z.literal("pipe_open"), peerNodeId });

/** To a node: where the other end is. From then on its tracks cross. */
export const PipeConnect = z.object({ type: z.literal("pipe_connect"), peerNodeId, address: PipeAddress });

/** To a node: the pipe is over, and what came through it too. */
export const PipeClose = z.object({ type: z.literal("pipe_close"), peerNodeId });

export const PipeOpened = z.object({ type: z.literal("pipe_opened"), peerNodeId, address: PipeAddress });

/** Handed on as it is: somebody on the other node sends this, through the pipe with `peerNodeId`. */
export const PipeTrack = z.object({
  type: z.literal("pipe_track"),
  peerNodeId,
  participantId: ParticipantId,
  source: TrackSource,
  kind: MediaKind,
  producerId: Uuid,
  muted: z.boolean(),
  rtpParameters: RtpParameters,
});
export type PipeTrack = z.infer<typeof PipeTrack>;

/** Handed on as it is: the track is gone, or was muted or unmuted. */
export const PipeTrackChanged = z.object({
  type: z.literal("pipe_track_changed"),
  peerNodeId,
  participantId: ParticipantId,
  source: TrackSource,
  state: z.enum(["muted", "unmuted", "gone"]),
});
export type PipeTrackChanged = z.infer<typeof PipeTrackChanged>;
