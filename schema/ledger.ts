import * as z from "zod";
import { CallType, EndReason, LegState, Outcome, ParticipantState } from "./call.ts";
import { LogEntry } from "./call-log.ts";
import { DeviceType } from "./client-messages.ts";
import { CallId, DeviceId, Timestamp, UserId } from "./ids.ts";
import { MAX_NAME, MAX_PUSH_TOKEN, MAX_URL } from "./limits.ts";
import { MediaReport } from "./media-report.ts";
import { PushProvider } from "./push-token.ts";

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
  /** Null while it goes on, and for a call that was merged into another: that one leaves no history. */
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
      /** As this user's history tells it: who missed a group call that others had has missed it. Null while it goes on. */
      outcome: Outcome.nullable(),
      /** The device that spoke for the user last; null if none did, or none was said. */
      deviceId: DeviceId.nullable(),
      joinedAt: Timestamp.nullable(),
      leftAt: Timestamp.nullable(),
      /** Every device with which the user was in the call. */
      devices: z.array(
        z.object({
          deviceId: DeviceId,
          joinedAt: Timestamp,
          leftAt: Timestamp.nullable(),
          /** The device's latest; left out where it made none. */
          media: MediaReport.optional(),
        }),
      ),
      /** Every device that was rung, and how that went. */
      legs: z.array(z.object({ deviceId: DeviceId, state: LegState })),
    }),
  ),
  /** What happened since the last event that the ledger has confirmed. */
  log: z.array(LogEntry),
});

export const PushPurpose = z.enum(["ring", "notice"]);
export type PushPurpose = z.infer<typeof PushPurpose>;

/** What became of a push, told by who sent it; the call's object is not asked. */
export const PushEvent = z.object({
  kind: z.literal("push"),
  callId: CallId,
  userId: UserId,
  deviceId: DeviceId,
  provider: PushProvider,
  /** To ring, or to tell of a call that rings no more. */
  purpose: PushPurpose,
  at: Timestamp,
  attempts: z.int().positive(),
  /** `dead`: the provider does not know the token any more; `expired`: the ring was over; `failed`: given up. */
  result: z.enum(["accepted", "retried", "dead", "expired", "failed"]),
  /** HTTP status of the provider's last answer; null if none came. */
  status: z.int().nullable(),
});

export const LedgerEvent = z.discriminatedUnion("kind", [UserEvent, DeviceEvent, CallEvent, PushEvent]);
export type LedgerEvent = z.infer<typeof LedgerEvent>;
export type UserEvent = z.infer<typeof UserEvent>;
export type DeviceEvent = z.infer<typeof DeviceEvent>;
export type CallEvent = z.infer<typeof CallEvent>;
export type PushEvent = z.infer<typeof PushEvent>;

/** What a UserObject's outbox is keyed by, and what the ledger confirms. */
export function outboxKey(event: UserEvent | DeviceEvent): string {
  return event.kind === "user" ? "user" : `device:${event.deviceId}`;
}
