import * as z from "zod";
import { CallType, DeclineReason } from "./call.ts";
import { describe, type Refusal } from "./errors.ts";
import { CallId, DeviceId, UserId } from "./ids.ts";
import { parseJson } from "./json.ts";
import {
  MAX_CALLEES,
  MAX_CANDIDATE,
  MAX_CANDIDATES,
  MAX_CANDIDATES_FRAME,
  MAX_FRAME,
  MAX_NAME,
  MAX_PARTICIPANTS,
  MAX_ROOM_SDP,
  MAX_SDP,
  MAX_TOKEN,
  MAX_WATCHED,
} from "./limits.ts";
import { MediaReport } from "./media-report.ts";
import { PushToken } from "./push-token.ts";
import { Epoch, MAX_SENT_TRACKS, SentTrack, TrackSource, VideoRequest } from "./room.ts";
import { text } from "./text.ts";

/** What a device may send on its sockets. Rules by number: PROTOCOL.md. */

/** Repeated by the reply as `re`. */
const CommandId = z.string().min(1).max(64).optional();

/** Names a connection while a device has two with the same peer: during a handoff. */
const ConnectionId = z.string().min(1).max(64);

/** Forwarded byte for byte in a 1:1 call, but for the addresses in an offer that rings. */
export const Sdp = z.string().min(1).max(MAX_SDP);

export const DeviceType = z.enum(["iPhone", "iPad", "Mac", "Watch", "Android", "Web"]);
export type DeviceType = z.infer<typeof DeviceType>;

/** RTCIceCandidateInit (W3C WebRTC, section 4.8.1.1). */
export const IceCandidate = z.object({
  candidate: z.string().max(MAX_CANDIDATE),
  sdpMid: z.string().max(64).nullish(),
  sdpMLineIndex: z.int().min(0).max(1_000).nullish(),
  usernameFragment: z.string().max(256).nullish(),
});
export type IceCandidate = z.infer<typeof IceCandidate>;

/** Regions of which a device says how far they are: more than it would measure. */
export const MAX_RTTS = 8;
export const RegionRtt = z.object({ region: z.string().min(1).max(32), ms: z.number().min(0).max(60_000) });
export type RegionRtt = z.infer<typeof RegionRtt>;

/** Sent first on every socket: says which of the user's devices this is. */
export const Register = z.object({
  type: z.literal("register"),
  id: CommandId,
  deviceId: DeviceId,
  deviceType: DeviceType,
  deviceName: text(MAX_NAME).min(1).optional(),
  push: PushToken.optional(),
  since: z.int().nonnegative().optional(),
  /** On a call socket: round trips to regions of media nodes, if the device has measured them. Rooms are placed by them. */
  rtts: z.array(RegionRtt).max(MAX_RTTS).optional(),
});

/** Sent to call somebody; the same `idempotencyKey` within 5 min is the same call. */
export const CallInitiate = z.object({
  type: z.literal("call_initiate"),
  id: CommandId,
  idempotencyKey: z.string().min(1).max(128),
  calleeIds: z.array(UserId).min(1).max(MAX_CALLEES),
  callType: CallType,
  sdp: Sdp.optional(),
});

/** Sent when the device really alerts its user: the caller may now hear ringing. */
export const CallAlerting = z.object({ type: z.literal("call_alerting"), id: CommandId, callId: CallId });

export const CallAnswer = z.object({
  type: z.literal("call_answer"),
  id: CommandId,
  callId: CallId,
  sdp: Sdp.optional(),
  /** In a group call: joins also while another device of the same user is in it. */
  join: z.boolean().optional(),
});

/** `declined` ends the ringing on all of the user's devices, `ignored` on this one; `busy` is this one's leg. */
export const CallDecline = z.object({
  type: z.literal("call_decline"),
  id: CommandId,
  callId: CallId,
  reason: DeclineReason.default("declined"),
});

/** Trickle ICE (RFC 8838), batched; a lone candidate may come as `candidate`. */
export const IceCandidates = z
  .object({
    type: z.literal("ice_candidate"),
    id: CommandId,
    callId: CallId,
    candidates: z.array(IceCandidate).max(MAX_CANDIDATES).optional(),
    candidate: IceCandidate.optional(),
    /** Sent before, and good no more: a network of the device has gone. */
    removed: z.array(IceCandidate).max(MAX_CANDIDATES).optional(),
    endOfCandidates: z.boolean().optional(),
    connectionId: ConnectionId.optional(),
  })
  .refine((m) => m.candidates ?? m.candidate ?? m.removed ?? m.endOfCandidates, {
    message: "candidates, candidate, removed or endOfCandidates is needed",
  });

/** Sent to renegotiate a connected call (ICE restart, added tracks); relayed to the peer device. */
export const CallNegotiate = z.object({
  type: z.literal("call_negotiate"),
  id: CommandId,
  callId: CallId,
  sdp: Sdp,
  sdpType: z.enum(["offer", "answer"]),
  connectionId: ConnectionId.optional(),
});

/** Sent when the state of the device's media path changes, and once more when what the report tells is complete. */
export const CallMedia = z.object({
  type: z.literal("call_media"),
  id: CommandId,
  callId: CallId,
  state: z.enum(["connected", "failed", "recovering"]),
  /** Of the connection that `room_pairing` asked for; else it is about the one in use. */
  connectionId: ConnectionId.optional(),
  ...MediaReport.shape,
});
export type CallMedia = z.infer<typeof CallMedia>;

/** The user has put the call on hold, or taken it off: the others are told. */
export const CallHold = z.object({ type: z.literal("call_hold"), id: CommandId, callId: CallId, on: z.boolean() });

/**
 * Sent by an idle device of a user in the call, to take it over, with an offer of its own; or, with `toDeviceId`
 * and without `sdp`, by the device in the call, to ask an idle one to do so.
 */
export const CallHandoff = z.object({
  type: z.literal("call_handoff"),
  id: CommandId,
  callId: CallId,
  sdp: Sdp.optional(),
  toDeviceId: DeviceId.optional(),
  connectionId: ConnectionId.optional(),
});

/** Adds people to a call under way, which so becomes a group call. */
export const CallInvite = z.object({
  type: z.literal("call_invite"),
  id: CommandId,
  callId: CallId,
  calleeIds: z.array(UserId).min(1).max(MAX_CALLEES),
});

/** An SFU parses it: whatever is no session description of WebRTC is refused. */
export const RoomSdp = z.string().min(1).max(MAX_ROOM_SDP);
const SentTracks = z.array(SentTrack).max(MAX_SENT_TRACKS).optional();

/** Sent with an offer to bring the device's media into the call's room; without an epoch, into the current one. */
export const RoomJoin = z.object({
  type: z.literal("room_join"),
  id: CommandId,
  callId: CallId,
  sdp: RoomSdp,
  epoch: Epoch.optional(),
  tracks: SentTracks,
  /** Sources that the user has muted; without it, those that were before. */
  muted: z.array(TrackSource).optional(),
});

/** Sent with an offer when the device adds or removes tracks in the room, or restarts ICE. */
export const Renegotiate = z.object({
  type: z.literal("renegotiate"),
  id: CommandId,
  callId: CallId,
  sdp: RoomSdp,
  epoch: Epoch,
  tracks: SentTracks,
});

/** The answer to the SFU's `renegotiate`; `negotiationId` as that one said. */
export const RenegotiateAnswer = z.object({
  type: z.literal("renegotiate_answer"),
  id: CommandId,
  callId: CallId,
  sdp: RoomSdp,
  epoch: Epoch,
  negotiationId: z.int().positive().optional(),
});

/** Sent when the user mutes or unmutes, and when what is on the screen changes: what is left out stays as it was. */
export const RoomUpdate = z.object({
  type: z.literal("room_update"),
  id: CommandId,
  callId: CallId,
  muted: z.array(TrackSource).optional(),
  wants: z
    .array(VideoRequest)
    .max(2 * MAX_PARTICIPANTS)
    .optional(),
});

/** Every message about a call's room. */
export const RoomMessage = z.discriminatedUnion("type", [RoomJoin, Renegotiate, RenegotiateAnswer, RoomUpdate]);
export type RoomMessage = z.infer<typeof RoomMessage>;

export const CallSync = z.object({ type: z.literal("call_sync"), id: CommandId, callId: CallId });
export const CallEnd = z.object({ type: z.literal("call_end"), id: CommandId, callId: CallId });

/** Replaces what this socket watches; each watched user's presence comes now and on every change. */
export const PresenceWatch = z.object({
  type: z.literal("presence_watch"),
  id: CommandId,
  userIds: z.array(UserId).max(MAX_WATCHED),
});

/** Sent with a newer token before the one that opened the socket expires. */
export const TokenRefresh = z.object({
  type: z.literal("token_refresh"),
  id: CommandId,
  token: z.string().min(1).max(MAX_TOKEN),
});
export type TokenRefresh = z.infer<typeof TokenRefresh>;

/** Every message about one running call: accepted on the user socket and on the call socket. */
export const InCallMessage = z.discriminatedUnion("type", [
  CallAlerting,
  CallAnswer,
  CallDecline,
  IceCandidates,
  CallNegotiate,
  CallMedia,
  CallHold,
  CallHandoff,
  CallInvite,
  RoomJoin,
  Renegotiate,
  RenegotiateAnswer,
  RoomUpdate,
  CallSync,
  CallEnd,
]);
export type InCallMessage = z.infer<typeof InCallMessage>;

export const ClientMessage = z.discriminatedUnion("type", [
  Register,
  CallInitiate,
  PresenceWatch,
  TokenRefresh,
  InCallMessage,
]);
export type ClientMessage = z.infer<typeof ClientMessage>;
/** As a sender writes it: defaults may be left out. */
export type ClientMessageInput = z.input<typeof ClientMessage>;
export type Register = z.infer<typeof Register>;
export type CallInitiate = z.infer<typeof CallInitiate>;
export type PresenceWatch = z.infer<typeof PresenceWatch>;

const KNOWN_TYPES: ReadonlySet<string> = new Set([
  "register",
  "call_initiate",
  "presence_watch",
  "token_refresh",
  ...InCallMessage.options.map((option) => option.shape.type.value),
]);

/** As much of a refused frame as can be trusted: enough to address the error. */
const Envelope = z.object({ type: z.string(), id: z.string().min(1).max(64).optional().catch(undefined) });

export type Parsed =
  | { readonly ok: true; readonly message: ClientMessage }
  | { readonly ok: false; readonly re: string | undefined; readonly refusal: Refusal };

function refuse(code: Refusal["code"], message: string, re?: string): Parsed {
  return { ok: false, re, refusal: { code, message } };
}

/** The one place where a frame becomes a message. Never throws. */
export function parseClientFrame(frame: string | ArrayBuffer): Parsed {
  if (typeof frame !== "string") return refuse("bad_message", "binary frames are not part of the protocol");
  if (frame.length > MAX_FRAME) return refuse("too_large", `a frame holds at most ${MAX_FRAME} characters`);
  const json = parseJson(frame);
  const envelope = Envelope.safeParse(json);
  if (!envelope.success) return refuse("bad_message", "a frame is a JSON object with a string `type`");
  const { type, id } = envelope.data;
  if (!KNOWN_TYPES.has(type)) return refuse("unsupported", "this server does not know that message type", id);
  const message = ClientMessage.safeParse(json);
  if (message.success && type === "ice_candidate" && frame.length > MAX_CANDIDATES_FRAME) {
    return refuse("too_large", `a message of candidates holds at most ${MAX_CANDIDATES_FRAME} characters`, id);
  }
  if (message.success) return { ok: true, message: message.data };
  // The first issue is the one that is described; after a wrong type, sizes are measured of what is no text.
  const [issue] = message.error.issues;
  const tooLarge = issue?.code === "too_big" && issue.path[0] === "sdp";
  return refuse(tooLarge ? "too_large" : "bad_message", describe(message.error), id);
}
