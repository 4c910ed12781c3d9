import * as z from "zod";
import { Caller, CallSnapshot, CallState, CallType, CancelReason, DeclineReason, EndReason, Outcome } from "./call.ts";
import { IceCandidate, parseJson, Sdp } from "./client-messages.ts";
import { ErrorCode } from "./errors.ts";
import { CallId, DeviceId, DeviceRef, Timestamp, UserId } from "./ids.ts";

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
  from: DeviceRef,
});

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
