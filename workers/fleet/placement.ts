import { type FleetMessage, NODE_HEARTBEAT_MS, type NodeStatus } from "../../schema/fleet.ts";
import type { Command, Connection, Fleet, Reservation } from "./fleet.ts";

/** Chooses a node for a room. Pure: chance and time are arguments. */

export interface Wanted {
  readonly callId: string;
  readonly epoch: number;
  /** How many people may come. */
  readonly expected: number;
  /** Nodes that have failed this room. */
  readonly exclude: readonly string[];
  /** How many of them come to this node now; null for a room's first node, which is to take all. */
  readonly part: number | null;
}

/** `takes`: how many of the expected people the node has room for. */
export interface Place {
  readonly nodeId: string;
  readonly takes: number;
}

/** `retryMs`: there is a node with room, and it is taking in others just now. Null: there is none. */
export type Placement = Place | { readonly retryMs: number } | null;

export interface Chances {
  /** Two numbers from 0 to 1. */
  readonly random: readonly [number, number];
  readonly joinsPerSecond: number;
}

interface Candidate {
  readonly connectionId: string;
  readonly node: NodeStatus;
  readonly reservations: readonly Reservation[];
}

/** Everybody sends a camera and a microphone. */
const TRACKS = 2;
/** 400 consumers of 1 Mbps, in packets of 1,200 bytes: what a worker's core was measured to forward. */
const PACKETS_PER_WORKER = 40_000;
/** By then everybody has joined who was expected, and a heartbeat has said what that costs. */
const RESERVED_MS = 2 * NODE_HEARTBEAT_MS;
const SECOND_MS = 1_000;

/** The better of two at random: nearly as even as the best of all, and rooms placed at once do not all fall on one. */
export function place(
  fleet: Fleet,
  wanted: Wanted,
  { random, joinsPerSecond }: Chances,
  now: number,
): { readonly state: Fleet; readonly commands: readonly Command[]; readonly placement: Placement } {
  const fitting = fittingNodes(fleet, wanted, now);
  const waits = fitting.map((each) => ({ each, waitMs: waitMs(each, joining(each, wanted), joinsPerSecond, now) }));
  const ready = waits.flatMap(({ each, waitMs }) => (waitMs === 0 ? [each] : []));
  const chosen = betterOfTwo(ready, random);
  if (!chosen) {
    const placement = fitting.length === 0 ? null : { retryMs: Math.min(...waits.map(({ waitMs }) => waitMs)) };
    return { state: fleet, commands: [], placement };
  }
  const { callId, epoch } = wanted;
  const { connectionId, node } = chosen;
  const message: FleetMessage = { type: "room_open", callId, epoch };
  return {
    state: withReservation(fleet, chosen, { at: now, participants: joining(chosen, wanted) }),
    commands: [{ type: "send", connectionId, message }],
    placement: { nodeId: node.nodeId, takes: takes(chosen, wanted.expected) },
  };
}

function candidates(fleet: Fleet, now: number): Candidate[] {
  return Object.entries(fleet.connections).flatMap(([connectionId, { leaseUntil, node, reservations }]) => {
    if (!node?.load || node.draining || node.load.workers === 0 || leaseUntil <= now) return [];
    const open = reservations.filter(({ at }) => now - at < RESERVED_MS);
    return [{ connectionId, node, reservations: open }];
  });
}

/** For a room, nodes that take the whole of it; if there are none, and for a part of a room, those that take somebody. */
function fittingNodes(fleet: Fleet, { exclude, expected, part }: Wanted, now: number): Candidate[] {
  const all = candidates(fleet, now).filter(({ node }) => !exclude.includes(node.nodeId));
  const whole = part === null ? all.filter((each) => hasRoom(each, expected)) : [];
  return whole.length > 0 ? whole : all.filter((each) => takes(each, expected) > 0);
}

function joining(candidate: Candidate, { expected, part }: Wanted): number {
  return Math.min(part ?? expected, takes(candidate, expected));
}

/** Of a room that it does not take as a whole, each of its people costs it all that they receive, and a pipe. */
function takes(candidate: Candidate, expected: number): number {
  const free = capacityOf(candidate) - consumersOn(candidate);
  if (consumersOf(expected) <= free) return Math.floor((1 + Math.sqrt(1 + (4 * free) / TRACKS)) / 2);
  return Math.max(0, Math.floor(free / (TRACKS * expected)));
}

/** What is larger than a whole node takes an empty one. */
function hasRoom(candidate: Candidate, expected: number): boolean {
  const capacity = capacityOf(candidate);
  return consumersOn(candidate) + Math.min(consumersOf(expected), capacity) <= capacity;
}

/** A dead worker's share is not there until it is replaced. */
function capacityOf({ node }: Candidate): number {
  const { capacity, load } = node;
  return capacity.consumers * Math.min(1, (load?.workers ?? 0) / capacity.workers);
}

function consumersOn({ node, reservations }: Candidate): number {
  const reserved = reservations.map(({ participants }) => consumersOf(participants));
  return (node.load?.consumers ?? 0) + reserved.reduce((sum, each) => sum + each, 0);
}

/** Everybody receives everybody else. */
function consumersOf(participants: number): number {
  return participants * (participants - 1) * TRACKS;
}

/** How long until the node may take in so many more: joining costs it far more than media does, and comes in herds when another node has died. */
function waitMs({ reservations }: Candidate, coming: number, perSecond: number, now: number): number {
  const recent = reservations.filter(({ at }) => now - at < SECOND_MS);
  const taken = (from: number) => recent.slice(from).reduce((sum, { participants }) => sum + participants, 0);
  const fitting = recent.findIndex((_, i) => taken(i) + coming <= perSecond);
  // Those before it have to be over first; before a large room, all of them.
  const last = recent[(fitting === -1 ? recent.length : fitting) - 1];
  return last ? last.at + SECOND_MS - now : 0;
}

function betterOfTwo(ready: readonly Candidate[], [r1, r2]: readonly [number, number]): Candidate | undefined {
  const first = Math.min(Math.floor(r1 * ready.length), ready.length - 1);
  const others = ready.filter((_, i) => i !== first);
  const [a, b] = [ready[first], others[Math.min(Math.floor(r2 * others.length), others.length - 1)]];
  return a && b && loadOf(b) < loadOf(a) ? b : a;
}

/** The share in use of whatever is scarcest. */
function loadOf(candidate: Candidate): number {
  const { load, capacity } = candidate.node;
  const packets = (load?.packetRate ?? 0) / (capacity.workers * PACKETS_PER_WORKER);
  return Math.max(consumersOn(candidate) / capacityOf(candidate), load?.cpu ?? 0, packets);
}

function withReservation(fleet: Fleet, { connectionId, reservations }: Candidate, made: Reservation): Fleet {
  const connection = fleet.connections[connectionId];
  if (!connection) return fleet;
  const reserving: Connection = { ...connection, reservations: [...reservations, made] };
  return { ...fleet, connections: { ...fleet.connections, [connectionId]: reserving } };
}
