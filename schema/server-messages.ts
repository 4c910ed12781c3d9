import * as z from "zod";
import {
  Caller,
  CallSnapshot,
  CallState,
  CallType,
  CancelReason,
  DeclineReason,
  EndReason,
  Outcome,
  ParticipantState,
} from "./call.ts";
import { IceCandidate, RoomSdp, Sdp } from "./client-messages.ts";
import { ErrorCode } from "./errors.ts";
import { CallId, DeviceId, DeviceRef, Timestamp, UserId } from "./ids.ts";
import { parseJson } from "./json.ts";
import { Epoch, ParticipantId, ReceivedTrack, RoomParticipant, RoomTrack } from "./room.ts";

/** What a device may hear on its sockets. Rules by number: PROTOCOL.md. */

const Re = z.string().optional();
/** In every event about a call: the revision of the commit that it follows from. */
const Rev = z.int().nonnegative();

/** The reply to `register`: the socket is this device's now. */
export const Registered = z.object({
  type: z.literal("registered"),
  re: Re,
  userId: UserId,
  deviceId: DeviceId,
  /** On a user socket the cursor to come back with, as `since`; on a call socket the `rev` of that call. */
  seq: z.int().nonnegative(),
  heartbeatMs: z.int().positive(),
  calls: z.array(CallSnapshot),
});

export const CallInitiated = z.object({
  type: z.literal("call_initiated"),
  re: Re,
  callId: CallId,
  rev: Rev,
  deduplicated: z.boolean(),
  state: CallState,
  /** Of several callees, those whom nobody has told of and who were never here; the others ring. */
  unknownIds: z.array(UserId).optional(),
});

/** Sent to every device of a callee that is connected while the call rings. */
export const IncomingCall = z.object({
  type: z.literal("incoming_call"),
  callId: CallId,
  rev: Rev,
  caller: Caller,
  callType: CallType,
  sdp: Sdp.optional(),
  remainingMs: z.int().positive(),
});

/** Sent instead of `incoming_call` to a device that is in another call: it may end or hold that one, or decline. */
export const CallWaiting = IncomingCall.extend({ type: z.literal("call_waiting") });

/** Sent to the caller once, when the first device of the callee alerts. */
export const CallRinging = z.object({
  type: z.literal("call_ringing"),
  callId: CallId,
  rev: Rev,
  userId: UserId,
  devices: z.int().positive(),
});

/** Sent to the device that answered and, with the answer's description, to the device that called. */
export const CallConnected = z.object({
  type: z.literal("call_connected"),
  re: Re,
  callId: CallId,
  rev: Rev,
  answeredBy: DeviceRef,
  sdp: Sdp.optional(),
});

/** The reply to an answer that came second. */
export const AlreadyAnswered = z.object({
  type: z.literal("already_answered"),
  re: Re,
  callId: CallId,
  rev: Rev,
  answeredBy: DeviceRef,
});

/** The reply to an answer for a call that nobody knows, or that is not the asker's. */
export const CallNotFound = z.object({ type: z.literal("call_not_found"), re: Re, callId: CallId });

/** The reply to a decline; also sent to the caller's device when the callee's user declined. */
export const CallDeclined = z.object({
  type: z.literal("call_declined"),
  re: Re,
  callId: CallId,
  rev: Rev,
  reason: DeclineReason.optional(),
});

/** Sent to a device that rings: stop, and why. */
export const CallCancelled = z.object({
  type: z.literal("call_cancelled"),
  callId: CallId,
  rev: Rev,
  reason: CancelReason,
  byDevice: DeviceId.optional(),
});

/** Sent to every device in the call when it ends; also the reply to what comes too late. */
export const CallEnded = z.object({
  type: z.literal("call_ended"),
  re: Re,
  callId: CallId,
  rev: Rev,
  outcome: Outcome,
  reason: EndReason,
  durationSeconds: z.int().nonnegative(),
});

/** Sent to both sides when the media path comes up, recovers or is lost. */
export const CallStateChanged = z.object({
  type: z.literal("call_state"),
  re: Re,
  ...CallSnapshot.shape,
});

export const PeerCandidates = z.object({
  type: z.literal("ice_candidate"),
  callId: CallId,
  rev: Rev,
  candidates: z.array(IceCandidate),
  removed: z.array(IceCandidate).optional(),
  endOfCandidates: z.boolean().optional(),
  connectionId: z.string().optional(),
  from: DeviceRef,
});

export const PeerNegotiate = z.object({
  type: z.literal("call_negotiate"),
  callId: CallId,
  rev: Rev,
  sdp: Sdp,
  sdpType: z.enum(["offer", "answer"]),
  connectionId: z.string().optional(),
  /** An offer for a second connection, with a device that is taking the call over. */
  handoff: z.boolean().optional(),
  from: DeviceRef,
});

/** Sent to the others in the call when a user puts it on hold or takes it off. */
export const CallHeld = z.object({
  type: z.literal("call_held"),
  callId: CallId,
  rev: Rev,
  on: z.boolean(),
  userId: UserId,
});

/** The reply to `call_handoff`: the peer is being offered a second connection, or the idle device has been asked. */
export const CallHandoffReady = z.object({
  type: z.literal("call_handoff_ready"),
  re: Re,
  callId: CallId,
  rev: Rev,
  deviceId: DeviceId,
});

/** Sent to all devices of the user, and to the others in the call: the media is on `deviceId` now. */
export const CallHandedOff = z.object({
  type: z.literal("call_handed_off"),
  callId: CallId,
  rev: Rev,
  userId: UserId,
  deviceId: DeviceId,
});

/** Sent to the devices that a handoff involved when it comes to nothing: the call stays where it was. */
export const CallHandoffFailed = z.object({
  type: z.literal("call_handoff_failed"),
  callId: CallId,
  rev: Rev,
  deviceId: DeviceId,
});

/**
 * Sent to a user's idle devices: the call is on `deviceId`, and they may take it over. `wanted`: that device asks
 * this one to. With `state` `ended` there is nothing to take over any more.
 */
export const CallElsewhere = z.object({
  type: z.literal("call_elsewhere"),
  callId: CallId,
  rev: Rev,
  deviceId: DeviceId,
  callType: CallType,
  state: CallState,
  wanted: z.boolean().optional(),
});

/** Sent to the device whose call lost to one in the other direction: answer `into`, with its `sdp`, at once. */
export const CallMerged = z.object({
  type: z.literal("call_merged"),
  callId: CallId,
  rev: Rev,
  into: CallId,
  callType: CallType,
  sdp: Sdp.optional(),
});

/** Sent to everybody in a group call. */
export const ParticipantJoined = z.object({
  type: z.literal("participant_joined"),
  callId: CallId,
  rev: Rev,
  userId: UserId,
  name: z.string(),
  deviceId: DeviceId,
});

/** Sent to everybody in a group call. */
export const ParticipantLeft = z.object({
  type: z.literal("participant_left"),
  callId: CallId,
  rev: Rev,
  userId: UserId,
});

/** Sent to everybody in a group call when somebody is invited, declines, is busy, or did not answer. */
export const ParticipantUpdated = z.object({
  type: z.literal("participant_updated"),
  callId: CallId,
  rev: Rev,
  userId: UserId,
  name: z.string(),
  state: ParticipantState,
  /** With the next two: what one device of theirs sends in the room, and what of it is muted. */
  participantId: ParticipantId.optional(),
  deviceId: DeviceId.optional(),
  tracks: z.array(RoomTrack).optional(),
});

/**
 * The reply to `room_join`: the SFU's answer. `participants`: who is in the room, the asker as `participantId`;
 * `tracks`: what the SFU's m-lines carry. More m-lines may follow at once by `renegotiate`.
 */
export const RoomJoined = z.object({
  type: z.literal("room_joined"),
  re: Re,
  callId: CallId,
  rev: Rev,
  epoch: Epoch,
  participantId: ParticipantId,
  sdp: RoomSdp,
  participants: z.array(RoomParticipant),
  tracks: z.array(ReceivedTrack),
});

/** The SFU's offer, to be answered by `renegotiate_answer`; a client with an offer of its own under way ignores it. */
export const RoomRenegotiate = z.object({
  type: z.literal("renegotiate"),
  callId: CallId,
  rev: Rev,
  epoch: Epoch,
  negotiationId: z.int().positive(),
  sdp: RoomSdp,
  tracks: z.array(ReceivedTrack),
});

/** The reply to a client's `renegotiate`. */
export const RoomRenegotiateAnswer = z.object({
  type: z.literal("renegotiate_answer"),
  re: Re,
  callId: CallId,
  rev: Rev,
  epoch: Epoch,
  sdp: RoomSdp,
  tracks: z.array(ReceivedTrack),
});

/**
 * Sent to a participant when what the others want of its video changes: in pixels, 0 for not at all, null for as high
 * as it is. A client that can stops sending what is larger.
 */
export const VideoWanted = z.object({
  type: z.literal("video_wanted"),
  callId: CallId,
  rev: Rev,
  epoch: Epoch,
  source: z.enum(["camera", "screen"]),
  height: z.int().nonnegative().nullable(),
});

/** Sent to everybody in the room when another of them speaks. */
export const DominantSpeakerChanged = z.object({
  type: z.literal("dominant_speaker_changed"),
  callId: CallId,
  rev: Rev,
  userId: UserId,
  deviceId: DeviceId,
  participantId: ParticipantId,
});

/**
 * The call's media is in the room of this epoch now: join it, and drop the connection of the one before when the new
 * one is up or after `deadlineMs`. Also sent when a call between two becomes a room.
 */
export const RoomMoved = z.object({
  type: z.literal("room_moved"),
  callId: CallId,
  rev: Rev,
  epoch: Epoch,
  deadlineMs: z.int().nonnegative(),
});

/**
 * The two who are left in the room are to connect with each other, by `call_negotiate` with this `connectionId`; the one
 * with `offer` begins. The room goes on meanwhile.
 */
export const RoomPairing = z.object({
  type: z.literal("room_pairing"),
  callId: CallId,
  rev: Rev,
  connectionId: z.string(),
  offer: z.boolean(),
  deadlineMs: z.int().nonnegative(),
});

/** That connection has not come about, or is not needed any more: the media stays in the room. */
export const RoomPairingFailed = z.object({
  type: z.literal("room_pairing_failed"),
  callId: CallId,
  rev: Rev,
  connectionId: z.string(),
});

/** The media of the two is peer to peer from now on, and the room is over. */
export const RoomClosed = z.object({
  type: z.literal("room_closed"),
  callId: CallId,
  rev: Rev,
  epoch: Epoch,
  connectionId: z.string(),
});

/** Sent after `registered`, for each call that the device was in. */
export const Recover = z.object({
  type: z.literal("recover"),
  callId: CallId,
  rev: Rev,
  /** Keep the media and go on; join anew; or give it up: the call is over or is on another device. */
  action: z.enum(["resume", "rejoin", "leave"]),
});

export const TokenRefreshed = z.object({ type: z.literal("token_refreshed"), re: Re, expiresAt: Timestamp });

export const Presence = z.object({
  type: z.literal("presence"),
  userId: UserId,
  status: z.enum(["online", "offline"]),
  lastSeen: Timestamp.nullable(),
});

/** The message was refused; the socket stays open. */
export const ErrorMessage = z.object({
  type: z.literal("error"),
  re: Re,
  code: ErrorCode,
  message: z.string(),
  callId: CallId.optional(),
  retryAfterMs: z.int().nonnegative().optional(),
});

export const ServerMessage = z.discriminatedUnion("type", [
  Registered,
  CallInitiated,
  IncomingCall,
  CallWaiting,
  CallRinging,
  CallConnected,
  AlreadyAnswered,
  CallNotFound,
  CallDeclined,
  CallCancelled,
  CallEnded,
  CallStateChanged,
  PeerCandidates,
  PeerNegotiate,
  CallHeld,
  CallHandoffReady,
  CallHandedOff,
  CallHandoffFailed,
  CallElsewhere,
  CallMerged,
  ParticipantJoined,
  ParticipantLeft,
  ParticipantUpdated,
  RoomJoined,
  RoomRenegotiate,
  RoomRenegotiateAnswer,
  DominantSpeakerChanged,
  VideoWanted,
  RoomMoved,
  RoomPairing,
  RoomPairingFailed,
  RoomClosed,
  Recover,
  TokenRefreshed,
  Presence,
  ErrorMessage,
]);
export type ServerMessage = z.infer<typeof ServerMessage>;
export type ServerMessageOf<T extends ServerMessage["type"]> = Extract<ServerMessage, { type: T }>;

/** A frame from the server, or `undefined` for one of a newer protocol, which clients ignore. */
export function parseServerFrame(frame: string): ServerMessage | undefined {
  const parsed = ServerMessage.safeParse(parseJson(frame));
  return parsed.success ? parsed.data : undefined;
}
