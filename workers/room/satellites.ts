import { ROOM_OPEN_MS, ROOM_UNREACHED_MS } from "../../schema/limits.ts";
import type { PipeTrack, PipeTrackChanged } from "../../schema/room-pipe.ts";
import type { FromNode, ToNode } from "../../schema/room-socket.ts";
import { type Context, chain, type Found, type Step, tell, unchanged } from "./events.ts";
import { admitAll } from "./joining.ts";
import { endLingering } from "./lingering.ts";
import {
  hasPlace,
  isUpAt,
  nodeLive,
  nodesOf,
  toNode,
  vacate,
  withLive,
  withNodeLive,
  without,
  withPlaced,
} from "./members.ts";
import { fail } from "./requests.ts";
import type { Phase, Reaching, Room, Satellite } from "./state.ts";

/** Further nodes of a room come and go, and are joined to the others by pipes. Pure. */

type Open = Extract<Phase, { kind: "open" }>;

/** The fleet has answered. */
export function reached(room: Room, reaching: Reaching, found: Found, now: number): Step {
  if (reaching.nodeId !== null) return unchanged(room);
  if (found === null) return unreached(room, reaching, ROOM_UNREACHED_MS, now);
  if ("retryMs" in found) return unreached(room, reaching, found.retryMs, now);
  const { nodeId, takes, region } = found;
  const next = { ...reaching, nodeId, terms: { takes, region }, until: now + ROOM_OPEN_MS };
  return unchanged(withPlaced(room, { reaching: next }));
}

/** Those who wait for it come to a node that is there. */
export function unreached(room: Room, { region }: Reaching, forMs: number, now: number): Step {
  const until = { ...room.live.unreached, [region ?? ""]: now + forMs };
  return admitAll(withLive(withPlaced(room, { reaching: null }), { unreached: until }), now);
}

/** It has dialled. */
export function satelliteOpened(room: Room, { nodeId, terms }: Reaching, now: number): Step {
  if (nodeId === null) return unchanged(room);
  const satellite: Satellite = { nodeId, terms, isDraining: false, leaving: [] };
  const next = withPlaced(room, { reaching: null, satellites: [...room.placed.satellites, satellite] });
  return chain(
    next,
    (is) => openPipes(is, nodeId),
    (is) => admitAll(is, now),
  );
}

/** Between this node and each other. */
function openPipes(room: Room, nodeId: string): Step {
  const others = nodesOf(room).filter((other) => other !== nodeId);
  const ends = others.flatMap((other) => [[nodeId, other] as const, [other, nodeId] as const]);
  return chain(
    room,
    ...ends.map(
      ([one, peerNodeId]) =>
        (is: Room) =>
          carry(is, one, { type: "pipe_open", peerNodeId }),
    ),
  );
}

/** What nodes say to each other is said once: a node whose socket is away hears it when it is back. */
function carry(room: Room, to: string, message: ToNode): Step {
  if (isUpAt(room, to)) return { room, commands: [toNode(room.placed.epoch, to, message)] };
  if (!nodesOf(room).includes(to)) return unchanged(room);
  return unchanged(withNodeLive(room, to, { held: [...nodeLive(room, to).held, message] }));
}

type OfPipe = Extract<FromNode, { type: "pipe_opened" }> | PipeTrack | PipeTrackChanged;

/** What one node says is for the node at the other end, to which the pipe is one with the former. */
export function relay(room: Room, from: string, message: OfPipe): Step {
  const { peerNodeId: to } = message;
  if (to === from) return unchanged(room);
  const said =
    message.type === "pipe_opened"
      ? ({ type: "pipe_connect", peerNodeId: from, address: message.address } as const)
      : { ...message, peerNodeId: from };
  return carry(room, to, said);
}

/** A satellite is gone, or is not needed: its people come in anew, elsewhere; the others stay. */
export function dropSatellite(room: Room, nodeId: string, context: Context): Step {
  const satellites = room.placed.satellites.filter((each) => each.nodeId !== nodeId);
  const live = without(room.live.satellites, nodeId);
  return withoutNode(withLive(withPlaced(room, { satellites }), { satellites: live }), nodeId, context);
}

/** The home node is gone: a satellite takes its part, in the same epoch. */
export function succeed(room: Room, home: Open, successor: Satellite, context: Context): Step {
  return withoutNode(promote(room, successor), home.nodeId, context);
}

/** The home node wants to stop: until its people have left it, it is a satellite. */
export function stepDown(room: Room, home: Open, successor: Satellite): Step {
  const { nodeId, terms, leaving } = home;
  const own = nodeLive(room, nodeId);
  const next = promote(room, successor);
  const satellites = [...next.placed.satellites, { nodeId, terms, leaving, isDraining: true }];
  const live = { ...next.live.satellites, [nodeId]: own };
  return evacuate(withLive(withPlaced(next, { satellites }), { satellites: live }), nodeId);
}

function promote(room: Room, { nodeId, terms, leaving }: Satellite): Room {
  const phase: Phase = { kind: "open", nodeId, terms, leaving, drainUntil: null, next: null };
  const satellites = room.placed.satellites.filter((each) => each.nodeId !== nodeId);
  const live = { ...nodeLive(room, nodeId), satellites: without(room.live.satellites, nodeId) };
  return withLive(withPlaced(room, { phase, satellites, retry: null }), live);
}

export function satelliteDrained(room: Room, { nodeId, isDraining }: Satellite): Step {
  if (isDraining) return unchanged(room);
  const satellites = room.placed.satellites.map((each) =>
    each.nodeId === nodeId ? { ...each, isDraining: true } : each,
  );
  return evacuate(withPlaced(room, { satellites }), nodeId);
}

function evacuate(room: Room, nodeId: string): Step {
  const people = room.placed.members.filter((member) => hasPlace(room, member) && member.nodeId === nodeId);
  return { room, commands: people.map((member) => tell(member, { type: "recover", action: "rejoin" })) };
}

/** @param room where the node is none of its nodes any more */
function withoutNode(room: Room, nodeId: string, context: Context): Step {
  const { epoch, members } = room.placed;
  const people = members.filter((member) => hasPlace(room, member) && member.nodeId === nodeId);
  const ids = new Set(people.map(({ participantId }) => participantId));
  const requests = room.live.requests.filter(({ participantId }) => ids.has(participantId));
  const why = { code: "room_unavailable", message: "the media node is gone" } as const;
  return chain(
    room,
    (now) => ({ room: now, commands: [{ type: "close", epoch, nodeId, why: "stale" }] }),
    (now) =>
      chain(
        now,
        ...nodesOf(now).map((other) => (is: Room) => carry(is, other, { type: "pipe_close", peerNodeId: nodeId })),
      ),
    (now) => chain(now, ...requests.map((request) => (is: Room) => fail(is, request, why))),
    (now) => chain(now, ...people.map((member) => (is: Room) => vacate(is, member, context))),
    (now) => endLingering(now, (place) => place.nodeId === nodeId, context),
    (now) => ({
      room: now,
      commands: people.map((member) => tell(member, { type: "recover", action: "rejoin" })),
    }),
  );
}

/** Satellites to which nobody belongs any more, and one for which nobody waits. */
export function tidy(room: Room, context: Context): Step {
  const { members, satellites, reaching, phase, lingering } = room.placed;
  if (phase.kind !== "open") return unchanged(room);
  const isAwaited = members.some(({ waiting }) => waiting);
  const places = [...members, ...lingering];
  const unused = satellites.filter(({ nodeId }) => !places.some((place) => place.nodeId === nodeId));
  return chain(
    reaching && !isAwaited ? withPlaced(room, { reaching: null }) : room,
    ...unused.map(
      ({ nodeId }) =>
        (is: Room) =>
          dropSatellite(is, nodeId, context),
    ),
  );
}
