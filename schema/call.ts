import * as z from "zod";
import { CallId, DeviceId, DeviceRef, Timestamp, UserId } from "./ids.ts";
import { Epoch } from "./room.ts";

/** The vocabulary of a call, shared by the wire, the state machine and the history. */

export const CallType = z.enum(["video", "audio", "group"]);
export type CallType = z.infer<typeof CallType>;

/**
 * What a device sees of a call. `reaching`: nobody has said yet that it alerts; `ringing`: one has.
 * The two are one state of the machine, told apart by its legs.
 */
export const CallState = z.enum(["reaching", "ringing", "connecting", "connected", "reconnecting", "ended"]);
export type CallState = z.infer<typeof CallState>;

export const Outcome = z.enum([
  "completed",
  "missed",
  "declined",
  "busy",
  "cancelled",
  "unreachable",
  "failed",
  "blocked",
]);
export type Outcome = z.infer<typeof Outcome>;

/** Why a call ended; the outcome is what history says of it. */
export const EndReason = z.enum([
  "hung_up",
  "caller_hung_up",
  "declined",
  "busy",
  "timed_out",
  "unreachable",
  /** The calling device lost its connection while the call rang, and did not come back. */
  "caller_lost",
  /** Both called each other at once: this call went on as the other one. */
  "glare_merged",
  "media_timeout",
  "media_failed",
  "inactive",
]);
export type EndReason = z.infer<typeof EndReason>;

/** Why a device that was being rung is told to stop. */
export const CancelReason = z.enum([
  "answered_elsewhere",
  "declined_elsewhere",
  "caller_hung_up",
  "timed_out",
  "handed_off",
  "glare_merged",
  "failed",
]);
export type CancelReason = z.infer<typeof CancelReason>;

export const DeclineReason = z.enum(["declined", "busy", "ignored"]);
export type DeclineReason = z.infer<typeof DeclineReason>;

/** Of a call, as one of its users sees it. */
export const Direction = z.enum(["outgoing", "incoming"]);
export type Direction = z.infer<typeof Direction>;

/** A user's part in a call. */
export const ParticipantState = z.enum(["invited", "joined", "declined", "busy", "missed", "left"]);
export type ParticipantState = z.infer<typeof ParticipantState>;

/**
 * One callee device's part in a call (see PROTOCOL.md for the diagram). `notified`: over its socket, which is
 * answered at once; `pushed`: it may be woken by a push, and may never say anything.
 */
export const LegState = z.enum([
  "notified",
  "pushed",
  "alerting",
  "answered",
  "declined",
  "ignored",
  "busy",
  "cancelled",
]);
export type LegState = z.infer<typeof LegState>;

export const Caller = z.object({ userId: UserId, name: z.string(), deviceId: DeviceId });
export type Caller = z.infer<typeof Caller>;

/** A call as one of its users may see it. `sdp` is the other side's description, where it has one. */
export const CallSnapshot = z.object({
  callId: CallId,
  rev: z.int().positive(),
  callType: CallType,
  state: CallState,
  caller: Caller,
  participants: z.array(
    z.object({
      userId: UserId,
      name: z.string(),
      state: ParticipantState,
      /** With which device the user is in the call; only once they have accepted. */
      deviceId: DeviceId.optional(),
      /** The user has put the call on hold. */
      held: z.boolean().optional(),
    }),
  ),
  createdAt: Timestamp,
  /** Milliseconds that the call may still ring; only while it does. */
  remainingMs: z.int().nonnegative().optional(),
  answeredBy: DeviceRef.optional(),
  connectedAt: Timestamp.optional(),
  sdp: z.string().optional(),
  outcome: Outcome.optional(),
  reason: EndReason.optional(),
  durationSeconds: z.int().nonnegative().optional(),
  /** Of a call that lost to one in the other direction: that one. */
  mergedInto: CallId.optional(),
  /** The call's media is in a room: of this epoch. */
  room: z.object({ epoch: Epoch }).optional(),
});
export type CallSnapshot = z.infer<typeof CallSnapshot>;
