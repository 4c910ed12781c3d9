import * as z from "zod";
import { CallType, EndReason, Outcome, ParticipantState } from "./call.ts";
import { DeviceType } from "./client-messages.ts";
import { CallId, DeviceId, Timestamp, UserId } from "./ids.ts";
import { MAX_NAME, MAX_PUSH_TOKEN, MAX_URL } from "./limits.ts";

/**
 * What objects tell the ledger's queue. Each event carries the whole truth at its revision, so the
 * last one alone is enough, a repeated one changes nothing and an older one is ignored.
 */

const Revision = z.int().positive();

export const UserEvent = z.object({
  kind: z.literal("user"),
  userId: UserId,
  rev: Revision,
  name: z.string().min(1).max(MAX_NAME),
  avatarUrl: z.string().max(MAX_URL).nullable(),
});

export const DeviceEvent = z.object({
  kind: z.literal("device"),
  userId: UserId,
  deviceId: DeviceId,
  rev: Revision,
  deviceType: DeviceType,
  pushToken: z.string().max(MAX_PUSH_TOKEN).nullable(),
  isActive: z.boolean(),
  /** When its sockets opened; null once they are gone. */
  connectedAt: Timestamp.nullable(),
  lastSeen: Timestamp.nullable(),
});

export const CallEvent = z.object({
  kind: z.literal("call"),
  callId: CallId,
  rev: Revision,
  callType: CallType,
  initiatorId: UserId,
  state: z.enum(["ringing", "connected", "ended"]),
  outcome: Outcome.nullable(),
  reason: EndReason.nullable(),
  answeredBy: DeviceId.nullable(),
  createdAt: Timestamp,
  connectedAt: Timestamp.nullable(),
  endedAt: Timestamp.nullable(),
  durationSeconds: z.int().nonnegative().nullable(),
  participants: z.array(
    z.object({
      userId: UserId,
      state: ParticipantState,
      /** The device that spoke for the user last; null if none did. */
      deviceId: DeviceId.nullable(),
      joinedAt: Timestamp.nullable(),
      leftAt: Timestamp.nullable(),
      /** Every device with which the user was in the call. */
      devices: z.array(z.object({ deviceId: DeviceId, joinedAt: Timestamp, leftAt: Timestamp.nullable() })),
    }),
  ),
});

export const LedgerEvent = z.discriminatedUnion("kind", [UserEvent, DeviceEvent, CallEvent]);
export type LedgerEvent = z.infer<typeof LedgerEvent>;
export type UserEvent = z.infer<typeof UserEvent>;
export type DeviceEvent = z.infer<typeof DeviceEvent>;
export type CallEvent = z.infer<typeof CallEvent>;

/** What a UserObject's outbox is keyed by, and what the ledger confirms. */
export function outboxKey(event: UserEvent | DeviceEvent): string {
  return event.kind === "user" ? "user" : `device:${event.deviceId}`;
}
