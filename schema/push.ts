import * as z from "zod";
import { CallType, Outcome } from "./call.ts";
import { CallId, DeviceId, Timestamp, UserId } from "./ids.ts";
import { PushPurpose } from "./ledger.ts";
import { PushToken } from "./push-token.ts";

/** Pushes to devices that have no socket: what the edge queues, and what a device gets. */

/** One user's devices that are to be pushed about one call. Queued; tokens are looked up when it is due. */
export const PushRequest = z.object({
  callId: CallId,
  userId: UserId,
  deviceIds: z.array(DeviceId).min(1),
  /** To ring, or to tell of a call that rings no more; what is really said is decided when it is due. */
  purpose: PushPurpose,
  /** 0 for the first try. */
  attempts: z.int().nonnegative(),
  /** Nobody is to be pushed: it was queued so that a caller who is turned away waits as long as any. */
  isDecoy: z.boolean().optional(),
});
export type PushRequest = z.infer<typeof PushRequest>;

/** A device as it can be pushed now. */
export const PushTarget = z.object({ deviceId: DeviceId, push: PushToken });
export type PushTarget = z.infer<typeof PushTarget>;

/** Sent for a call that rings. Ask `GET /api/calls/:id` with `callToken` before ringing. */
export const RingPayload = z.object({
  type: z.literal("incoming_call"),
  callId: CallId,
  callType: CallType,
  caller: z.object({ userId: UserId, name: z.string() }),
  sentAt: Timestamp,
  /** When the ring ends: what comes later is a missed call. */
  expiresAt: Timestamp,
  /** Good for this call and this device alone: to alert, decline, answer, and open the call socket. */
  callToken: z.string(),
});
export type RingPayload = z.infer<typeof RingPayload>;

/** Sent for a call that does not ring any more, to a device that can be told so without ringing. */
export const NoticePayload = z.object({
  type: z.enum(["missed_call", "answered_elsewhere", "call_over"]),
  callId: CallId,
  callType: CallType,
  caller: z.object({ userId: UserId, name: z.string() }),
  outcome: Outcome.nullable(),
  sentAt: Timestamp,
});
export type NoticePayload = z.infer<typeof NoticePayload>;

export const PushPayload = z.discriminatedUnion("type", [RingPayload, NoticePayload]);
export type PushPayload = z.infer<typeof PushPayload>;
