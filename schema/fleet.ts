import * as z from "zod";
import { describe, ErrorCode, type Refusal } from "./errors.ts";
import { CallId, Uuid } from "./ids.ts";
import { parseJson } from "./json.ts";
import { MAX_PUSH_TOKEN } from "./limits.ts";
import { Epoch } from "./room.ts";

/**
 * The registration socket between an SFU node and the FleetObject of its region: text frames of
 * JSON. The node dials, registers once per socket, then heartbeats; each heartbeat renews its lease.
 */

export const FLEET_PROTOCOL = 1;
/** How often a node reports its load. Longer places rooms by older load. */
export const NODE_HEARTBEAT_MS = 5_000;
/** A node that was not heard for this long is gone: three heartbeats. Longer places rooms on dead nodes. */
export const NODE_LEASE_MS = 15_000;
/** A node's messages are a few hundred characters; what is larger is not one. */
export const MAX_NODE_FRAME = 16 * 1024;

/** Names the FleetObject; part of a URL, hence the small alphabet. */
export const Region = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/, "1 to 32 of a-z, 0-9 and inner -");
export type Region = z.infer<typeof Region>;

/** One process of a node: a restarted node is another one, because its rooms are gone. */
export const NodeId = Uuid;

/** How much a node takes: mediasoup workers (one core each), and consumers over all of them. */
export const NodeCapacity = z.object({ workers: z.int().positive(), consumers: z.int().positive() });
export type NodeCapacity = z.infer<typeof NodeCapacity>;

export const NodeLoad = z.object({
  /** Workers alive now; fewer than the capacity while a dead one is being replaced. */
  workers: z.int().nonnegative(),
  consumers: z.int().nonnegative(),
  /** Share of the workers' cores in use since the last heartbeat, 0 to 1. */
  cpu: z.number().min(0).max(1),
  /** RTP packets a second sent to consumers since the last heartbeat. */
  packetRate: z.number().nonnegative(),
});
export type NodeLoad = z.infer<typeof NodeLoad>;

/** Sent first on each socket. */
export const NodeRegister = z.object({
  type: z.literal("node_register"),
  nodeId: NodeId,
  region: Region,
  /** Of the node's software, for the operator. */
  version: z.string().min(1).max(64),
  protocol: z.int().positive(),
  capacity: NodeCapacity,
  /** Where clients send media: an IP address or a host name. */
  announcedAddress: z.string().min(1).max(255),
  /** The node also takes pushes to APNs on; older nodes say nothing of it. */
  pushRelay: z.boolean().default(false),
});
export type NodeRegister = z.infer<typeof NodeRegister>;

/** Sent every `heartbeatMs`, and at once when a worker dies or is replaced. */
export const NodeHeartbeat = z.object({
  type: z.literal("node_heartbeat"),
  load: NodeLoad,
  /** Rooms open on the node. */
  rooms: z.int().nonnegative(),
  /** The node takes no new rooms: it is about to stop. */
  draining: z.boolean().default(false),
});
export type NodeHeartbeat = z.infer<typeof NodeHeartbeat>;

/** How long a relay has for one push. Longer takes from the ring, which the retry has to fit in. */
export const PUSH_RELAY_MS = 5_000;

/** APNs takes at most 5 KB of a VoIP push, 4 KB of any other. */
const MAX_APNS_BODY = 5 * 1024;
const headerValue = z.string().max(1_024);

/**
 * One request to APNs, which speaks only HTTP/2, for a node to make. Where APNs is the node knows by itself, the path
 * is the token's, and no other header passes.
 */
export const PushOrder = z.object({
  token: z
    .string()
    .regex(/^[0-9a-fA-F]+$/)
    .max(MAX_PUSH_TOKEN),
  headers: z.object({
    authorization: headerValue,
    "apns-push-type": z.enum(["voip", "alert"]),
    "apns-topic": headerValue,
    "apns-expiration": headerValue,
    "apns-priority": headerValue,
    "apns-collapse-id": z.string().max(64).optional(),
  }),
  body: z.string().max(MAX_APNS_BODY),
});
export type PushOrder = z.infer<typeof PushOrder>;

/** What APNs said; `status` is null if it was not reached, or not in time. */
export const PushAnswer = z.object({
  status: z.int().nullable(),
  reason: z.string().max(100).nullable(),
  /** As its `retry-after` header says. */
  retryAfter: z.string().max(100).nullable(),
});
export type PushAnswer = z.infer<typeof PushAnswer>;

/** The reply to `push_send`. */
export const PushResult = PushAnswer.extend({ type: z.literal("push_result"), id: Uuid });
export type PushResult = z.infer<typeof PushResult>;

export const NodeMessage = z.discriminatedUnion("type", [NodeRegister, NodeHeartbeat, PushResult]);
export type NodeMessage = z.infer<typeof NodeMessage>;

/** The reply to `node_register`: the node is known from now until its lease ends. */
export const NodeRegistered = z.object({
  type: z.literal("node_registered"),
  leaseMs: z.int().positive(),
  heartbeatMs: z.int().positive(),
});

/** The reply to `node_heartbeat`. A node that hears none for a whole lease dials again: its socket is dead. */
export const NodeLease = z.object({ type: z.literal("node_lease"), leaseMs: z.int().positive() });

/** A message was refused; the socket stays open. */
export const NodeError = z.object({ type: z.literal("error"), code: ErrorCode, message: z.string() });

/** Sent to a node that relays pushes. */
export const PushSend = PushOrder.extend({ type: z.literal("push_send"), id: Uuid });
export type PushSend = z.infer<typeof PushSend>;

/**
 * Sent to a node that is to serve a room: it dials `GET /sfu/rooms/:callId?epoch=&nodeId=` at its edge (see
 * `room-socket.ts`). A node that is full or draining dials nobody, and the room goes to another.
 */
export const RoomOpen = z.object({ type: z.literal("room_open"), callId: CallId, epoch: Epoch });
export type RoomOpen = z.infer<typeof RoomOpen>;

/** Sent when the operator wants the node to stop: as if it had got `SIGTERM`. */
export const NodeDrain = z.object({ type: z.literal("node_drain") });
export type NodeDrain = z.infer<typeof NodeDrain>;

export const FleetMessage = z.discriminatedUnion("type", [
  NodeRegistered,
  NodeLease,
  NodeError,
  NodeDrain,
  PushSend,
  RoomOpen,
]);
export type FleetMessage = z.infer<typeof FleetMessage>;

/** Close code of a socket whose lease ran out. */
export const CLOSE_LEASE_EXPIRED = 4001;
/** Close code of a socket whose node has registered on a newer one. */
export const CLOSE_NODE_REPLACED = 4000;

/** A registered node as placement and `/health` see it. */
export const NodeStatus = NodeRegister.omit({ type: true, protocol: true }).extend({
  /** Null until the first heartbeat. */
  load: NodeLoad.nullable(),
  rooms: z.int().nonnegative(),
  /** It takes no new rooms. */
  draining: z.boolean(),
  /** Unix ms. */
  registeredAt: z.int(),
  /** Unix ms; the node is forgotten then unless it is heard before. */
  leaseUntil: z.int(),
});
export type NodeStatus = z.infer<typeof NodeStatus>;

export type ParsedNodeFrame =
  | { readonly ok: true; readonly message: NodeMessage }
  | { readonly ok: false; readonly refusal: Refusal };

const KNOWN_TYPES: ReadonlySet<string> = new Set(NodeMessage.options.map((option) => option.shape.type.value));
const Envelope = z.object({ type: z.string() });

/** Validates what a node sent; the refusal goes back as `error`. */
export function parseNodeFrame(frame: string | ArrayBuffer): ParsedNodeFrame {
  if (typeof frame !== "string") return refuse("bad_message", "binary frames are not part of the protocol");
  if (frame.length > MAX_NODE_FRAME) return refuse("too_large", `a frame holds at most ${MAX_NODE_FRAME} characters`);
  const json = parseJson(frame);
  const envelope = Envelope.safeParse(json);
  if (!envelope.success) return refuse("bad_message", "a frame is a JSON object with a string `type`");
  if (!KNOWN_TYPES.has(envelope.data.type)) return refuse("unsupported", "the fleet does not know that message type");
  const message = NodeMessage.safeParse(json);
  return message.success ? { ok: true, message: message.data } : refuse("bad_message", describe(message.error));
}

/** A frame from the fleet, or `undefined` for one of a newer protocol, which nodes ignore. */
export function parseFleetFrame(frame: string): FleetMessage | undefined {
  const parsed = FleetMessage.safeParse(parseJson(frame));
  return parsed.success ? parsed.data : undefined;
}

function refuse(code: ErrorCode, message: string): ParsedNodeFrame {
  return { ok: false, refusal: { code, message } };
}
