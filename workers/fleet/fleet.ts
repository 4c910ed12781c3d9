import {
  CLOSE_LEASE_EXPIRED,
  CLOSE_NODE_REPLACED,
  FLEET_PROTOCOL,
  type FleetMessage,
  NODE_HEARTBEAT_MS,
  NODE_LEASE_MS,
  type NodeMessage,
  type NodeRegister,
  type NodeStatus,
  type PushResult,
  type Region,
} from "../../schema/fleet.ts";

/**
 * The SFU nodes of one region. Pure: every socket is a connection with a lease, and a node is what
 * registered on one. Nothing else is state, so the connections alone bring it back after an eviction.
 */

/** What hibernates with a socket. Times in Unix ms. */
export interface Connection {
  readonly leaseUntil: number;
  /** Null until the node has registered. */
  readonly node: NodeStatus | null;
  /** Of the latest rooms that were placed on it. */
  readonly reservations: readonly Reservation[];
}

/** A room that was placed on a node: its load is not in the node's reports yet. */
export interface Reservation {
  readonly at: number;
  readonly participants: number;
}

export interface Fleet {
  readonly region: Region;
  readonly connections: Readonly<Record<string, Connection>>;
}

/** What a node says of itself. */
export type NodeReport = Exclude<NodeMessage, PushResult>;

export type Event =
  | { readonly type: "opened"; readonly connectionId: string }
  | { readonly type: "message"; readonly connectionId: string; readonly message: NodeReport }
  | { readonly type: "closed"; readonly connectionId: string }
  | { readonly type: "time_passed" };

export type Command =
  | { readonly type: "send"; readonly connectionId: string; readonly message: FleetMessage }
  | { readonly type: "close"; readonly connectionId: string; readonly code: number; readonly reason: string };

export interface Step {
  readonly state: Fleet;
  readonly commands: readonly Command[];
}

export function createFleet(region: Region): Fleet {
  return { region, connections: {} };
}

/** @param now Unix ms */
export function step(before: Fleet, event: Event, now: number): Step {
  const expired = expire(before, now);
  const { state, commands } = apply(expired.state, event, now);
  return { state, commands: [...expired.commands, ...commands] };
}

/** When the next lease ends, in Unix ms; null without connections. */
export function nextDeadline(fleet: Fleet): number | null {
  const leases = Object.values(fleet.connections).map(({ leaseUntil }) => leaseUntil);
  return leases.length === 0 ? null : Math.min(...leases);
}

/** The nodes that hold a lease at `now`, whether or not an alarm has swept the others. */
export function nodes(fleet: Fleet, now: number): NodeStatus[] {
  return Object.values(fleet.connections).flatMap(({ leaseUntil, node }) => (node && leaseUntil > now ? [node] : []));
}

/**
 * The operator wants a node to stop: it is placed on no more, and told so.
 * @returns null for a node that holds no lease here
 */
export function drain(fleet: Fleet, nodeId: string, now: number): Step | null {
  const [connectionId = ""] = connectionsOf(fleet, nodeId);
  const connection = fleet.connections[connectionId];
  if (!connection?.node || connection.leaseUntil <= now) return null;
  const draining = put(fleet, connectionId, { ...connection, node: { ...connection.node, draining: true } });
  return reply(draining, connectionId, { type: "node_drain" });
}

/** The connections of nodes that relay pushes and hold a lease. */
export function relays(fleet: Fleet, now: number): string[] {
  return Object.entries(fleet.connections).flatMap(([connectionId, { leaseUntil, node }]) =>
    node?.pushRelay && leaseUntil > now ? [connectionId] : [],
  );
}

function apply(fleet: Fleet, event: Event, now: number): Step {
  switch (event.type) {
    case "opened":
      return unspoken(
        put(fleet, event.connectionId, { leaseUntil: now + NODE_LEASE_MS, node: null, reservations: [] }),
      );
    case "message":
      return hear(fleet, event.connectionId, event.message, now);
    case "closed":
      return unspoken(drop(fleet, [event.connectionId]));
    case "time_passed":
      return unspoken(fleet);
  }
}

function hear(fleet: Fleet, connectionId: string, message: NodeReport, now: number): Step {
  const connection = fleet.connections[connectionId];
  // Its lease ran out, or a newer socket took over: the close is already on its way.
  if (!connection) return unspoken(fleet);
  switch (message.type) {
    case "node_register":
      return register(fleet, connectionId, message, now);
    case "node_heartbeat": {
      if (!connection.node) return reply(fleet, connectionId, refusal("forbidden", "register first"));
      const leaseUntil = now + NODE_LEASE_MS;
      const { load, rooms, draining } = message;
      const node = { ...connection.node, load, rooms, draining, leaseUntil };
      return reply(put(fleet, connectionId, { ...connection, leaseUntil, node }), connectionId, {
        type: "node_lease",
        leaseMs: NODE_LEASE_MS,
      });
    }
  }
}

function register(fleet: Fleet, connectionId: string, message: NodeRegister, now: number): Step {
  if (message.protocol !== FLEET_PROTOCOL) {
    return reply(fleet, connectionId, refusal("unsupported", `this fleet speaks protocol ${FLEET_PROTOCOL}`));
  }
  if (message.region !== fleet.region) {
    return reply(fleet, connectionId, refusal("bad_message", `region: this is the fleet of ${fleet.region}`));
  }
  const { nodeId, region, version, capacity, announcedAddress, pushRelay } = message;
  const own = fleet.connections[connectionId]?.node;
  const known = own?.nodeId === nodeId ? own : { load: null, rooms: 0, draining: false, registeredAt: now };
  const leaseUntil = now + NODE_LEASE_MS;
  const node = { ...known, nodeId, region, version, capacity, announcedAddress, pushRelay, leaseUntil };
  const older = connectionsOf(fleet, nodeId).filter((id) => id !== connectionId);
  const reservations = [...older, connectionId].flatMap((id) => fleet.connections[id]?.reservations ?? []);
  return {
    state: put(drop(fleet, older), connectionId, { leaseUntil, node, reservations }),
    commands: [
      ...older.map((id) => closing(id, CLOSE_NODE_REPLACED, "replaced by a newer connection of this node")),
      {
        type: "send",
        connectionId,
        message: { type: "node_registered", leaseMs: NODE_LEASE_MS, heartbeatMs: NODE_HEARTBEAT_MS },
      },
    ],
  };
}

function expire(fleet: Fleet, now: number): Step {
  const ids = Object.keys(fleet.connections).filter((id) => (fleet.connections[id]?.leaseUntil ?? now) <= now);
  return {
    state: drop(fleet, ids),
    commands: ids.map((id) => closing(id, CLOSE_LEASE_EXPIRED, "the lease ran out")),
  };
}

function connectionsOf(fleet: Fleet, nodeId: string): string[] {
  return Object.keys(fleet.connections).filter((id) => fleet.connections[id]?.node?.nodeId === nodeId);
}

function put(fleet: Fleet, connectionId: string, connection: Connection): Fleet {
  return { ...fleet, connections: { ...fleet.connections, [connectionId]: connection } };
}

function drop(fleet: Fleet, ids: readonly string[]): Fleet {
  if (ids.length === 0) return fleet;
  const kept = Object.entries(fleet.connections).filter(([id]) => !ids.includes(id));
  return { ...fleet, connections: Object.fromEntries(kept) };
}

function unspoken(state: Fleet): Step {
  return { state, commands: [] };
}

function reply(state: Fleet, connectionId: string, message: FleetMessage): Step {
  return { state, commands: [{ type: "send", connectionId, message }] };
}

function refusal(code: "forbidden" | "unsupported" | "bad_message", message: string): FleetMessage {
  return { type: "error", code, message };
}

function closing(connectionId: string, code: number, reason: string): Command {
  return { type: "close", connectionId, code, reason };
}
