import * as z from "zod";
import { CallType, Outcome, ParticipantState } from "./call.ts";
import { DeviceType } from "./client-messages.ts";
import { CallId, DeviceId, Timestamp, UserId } from "./ids.ts";
import { MAX_NAME, MAX_URL } from "./limits.ts";
import { text, webUrl } from "./text.ts";

/** Bodies and answers of the HTTP API. */

export const DisplayName = text(MAX_NAME).trim().min(1);
export const AvatarUrl = webUrl(MAX_URL);

export const DevTokenRequest = z.object({ userId: UserId.optional(), name: DisplayName });
export const DevTokenResponse = z.object({ token: z.string(), userId: UserId });

export const UserRequest = z.object({ name: DisplayName, avatarUrl: AvatarUrl.nullish() });
export const UserResponse = z.object({ userId: UserId, name: z.string(), avatarUrl: z.string().nullable() });

export const PresenceResponse = z.object({
  userId: UserId,
  status: z.enum(["online", "offline"]),
  lastSeen: Timestamp.nullable(),
});
export type PresenceResponse = z.infer<typeof PresenceResponse>;

export const ContactsResponse = z.object({
  contacts: z.array(PresenceResponse.extend({ name: z.string(), avatarUrl: z.string().nullable() })),
});
export type ContactsResponse = z.infer<typeof ContactsResponse>;

export const IceServersResponse = z.object({
  iceServers: z.array(
    z.object({ urls: z.array(z.string()), username: z.string().optional(), credential: z.string().optional() }),
  ),
  iceTransportPolicy: z.enum(["all", "relay"]),
  ttl: z.int().positive(),
});
export type IceServersResponse = z.infer<typeof IceServersResponse>;

export const HistoryQuery = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: z.string().max(200).optional(),
});

export const HistoryEntry = z.object({
  id: CallId,
  callType: CallType,
  direction: z.enum(["outgoing", "incoming"]),
  /** Null while the call goes on. */
  outcome: Outcome.nullable(),
  initiatorId: UserId,
  createdAt: Timestamp,
  connectedAt: Timestamp.nullable(),
  endedAt: Timestamp.nullable(),
  durationSeconds: z.int().nonnegative().nullable(),
  answeredByDevice: DeviceId.nullable(),
  participants: z.array(
    z.object({
      userId: UserId,
      name: z.string(),
      state: ParticipantState,
      deviceId: DeviceId.nullable(),
      joinedAt: Timestamp.nullable(),
      leftAt: Timestamp.nullable(),
    }),
  ),
});
export type HistoryEntry = z.infer<typeof HistoryEntry>;

export const HistoryResponse = z.object({ calls: z.array(HistoryEntry), nextCursor: z.string().nullable() });
export type HistoryResponse = z.infer<typeof HistoryResponse>;

export const DevicesResponse = z.object({
  devices: z.array(
    z.object({
      deviceId: DeviceId,
      deviceType: DeviceType,
      deviceName: z.string().nullable(),
      connected: z.boolean(),
      lastSeen: Timestamp.nullable(),
    }),
  ),
});
export type DevicesResponse = z.infer<typeof DevicesResponse>;

const ServiceStatus = z.object({ status: z.enum(["ok", "degraded", "down"]) });

export const HealthResponse = z.object({
  status: z.enum(["ok", "degraded"]),
  /** Seconds since this isolate started. */
  uptime: z.number().nonnegative(),
  services: z.object({
    postgres: ServiceStatus,
    queue: ServiceStatus,
    websocket: ServiceStatus,
    sfu: ServiceStatus.extend({ nodes: z.int().nonnegative() }),
  }),
  activeConnections: z.int().nonnegative(),
  activeCalls: z.int().nonnegative(),
});
export type HealthResponse = z.infer<typeof HealthResponse>;
