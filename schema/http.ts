import * as z from "zod";
import { CallSnapshot, CallType, DeclineReason, Direction, LegState, Outcome, ParticipantState } from "./call.ts";
import { LogEntry } from "./call-log.ts";
import { DeviceType, Sdp } from "./client-messages.ts";
import { NodeStatus, Region } from "./fleet.ts";
import { CallId, DeviceId, Timestamp, UserId } from "./ids.ts";
import { PushEvent } from "./ledger.ts";
import { MAX_NAME, MAX_URL } from "./limits.ts";
import { MediaReport } from "./media-report.ts";
import { PushProvider } from "./push-token.ts";
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

export const Contact = PresenceResponse.extend({
  name: z.string(),
  avatarUrl: z.string().nullable(),
  /** The asker has added them; else they only were in a call with the asker. */
  added: z.boolean(),
  /** By the asker. Whether they have blocked the asker, nobody is told. */
  blocked: z.boolean(),
  /** Their calls ring the asker's devices, as `ringFrom` and `blocked` say. */
  mayRing: z.boolean(),
});
export type Contact = z.infer<typeof Contact>;

export const ContactsResponse = z.object({ contacts: z.array(Contact) });
export type ContactsResponse = z.infer<typeof ContactsResponse>;

/** A request may ask for `relay`; whoever is to be relayed anyway cannot ask for `all`. */
export const IceServersQuery = z.object({ policy: z.enum(["all", "relay"]).default("all") });

export const IceServersResponse = z.object({
  iceServers: z.array(
    z.object({ urls: z.array(z.string()), username: z.string().optional(), credential: z.string().optional() }),
  ),
  iceTransportPolicy: z.enum(["all", "relay"]),
  ttl: z.int().positive(),
});
export type IceServersResponse = z.infer<typeof IceServersResponse>;

/** Where a device measures how far a region of media nodes is. */
export const RegionPing = z.object({ region: Region, pingUrl: webUrl(MAX_URL) });
export type RegionPing = z.infer<typeof RegionPing>;
export const RegionsResponse = z.object({ regions: z.array(RegionPing) });
export type RegionsResponse = z.infer<typeof RegionsResponse>;

/** For the operator. */
export const NodesResponse = z.object({ nodes: z.array(NodeStatus) });
export type NodesResponse = z.infer<typeof NodesResponse>;

export const HistoryQuery = z.object({
  /** Calls from those whom the asker has blocked are listed only when `blocked` is asked for. */
  outcome: Outcome.optional(),
  direction: Direction.optional(),
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: z.string().max(200).optional(),
});

export type HistoryQuery = z.infer<typeof HistoryQuery>;

export const HistoryEntry = z.object({
  id: CallId,
  callType: CallType,
  direction: Direction,
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
      /** It neither rings nor is it pushed. */
      doNotDisturb: z.boolean(),
      push: PushProvider.nullable(),
      lastSeen: Timestamp.nullable(),
    }),
  ),
});
export type DevicesResponse = z.infer<typeof DevicesResponse>;

export const DeviceRequest = z.object({ doNotDisturb: z.boolean() });

/** `GET /api/calls/:id`, and the answer to what is asked of a call over HTTP. */
export const CallResponse = z.object({ call: CallSnapshot });
export type CallResponse = z.infer<typeof CallResponse>;

/** Bodies of what a native ring screen sends without a socket; `deviceId` is not needed with a call token. */
export const DeclineRequest = z.object({ deviceId: DeviceId.optional(), reason: DeclineReason.default("declined") });
export const AnswerRequest = z.object({ deviceId: DeviceId.optional(), sdp: Sdp.optional() });
export const CallRequest = z.object({ deviceId: DeviceId.optional() });

/** An entry of another user's that is none of the asker's business: only that something was decided. */
export const PrivateEntry = z.object({ rev: z.int().positive(), at: Timestamp, kind: z.literal("private") });
export type PrivateEntry = z.infer<typeof PrivateEntry>;

/** `GET /api/calls/:id/events`. Devices of others are left out. */
export const CallEventsResponse = z.object({
  callId: CallId,
  events: z.array(z.discriminatedUnion("kind", [...LogEntry.options, PrivateEntry])),
  /** The asker's own devices, and how each was rung. */
  devices: z.array(z.object({ deviceId: DeviceId, state: LegState })),
  /** How the media of the asker's own devices travelled; of one that came back, each time. */
  media: z.array(MediaReport.extend({ deviceId: DeviceId, joinedAt: Timestamp })),
  /** Pushes to the asker's own devices. */
  pushes: z.array(PushEvent.omit({ kind: true, callId: true, userId: true })),
});
export type CallEventsResponse = z.infer<typeof CallEventsResponse>;

export const BlocksResponse = z.object({ blocks: z.array(z.object({ userId: UserId, blockedAt: Timestamp })) });
export type BlocksResponse = z.infer<typeof BlocksResponse>;

/** `GET /api/settings`, and the answer to `PUT`. */
export const Settings = z.object({
  /** Who may ring the user's devices; the calls of others are missed without a sound. */
  ringFrom: z.enum(["everybody", "contacts"]),
  /** The user's devices send media through relays alone: nobody they talk to learns their addresses. */
  relayOnly: z.boolean(),
});
export type Settings = z.infer<typeof Settings>;

/** What is not said stays as it is. */
export const SettingsRequest = Settings.partial();
export type SettingsRequest = z.infer<typeof SettingsRequest>;

/** `GET /api/push/vapid-key`: what `PushManager.subscribe` takes as `applicationServerKey`. */
export const VapidKeyResponse = z.object({ publicKey: z.string() });
export type VapidKeyResponse = z.infer<typeof VapidKeyResponse>;

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
