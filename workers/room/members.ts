import type { DeviceRef } from "../../schema/ids.ts";
import type { RoomParticipant } from "../../schema/room.ts";
import type { ToNode } from "../../schema/room-socket.ts";
import { type Attendance, type Command, type Context, type Notice, type Step, tell, unchanged } from "./events.ts";
import { type Live, type Member, type NodeLive, type Placed, type Room, type Satellite, WELL } from "./state.ts";

/** Who is in a room. Pure. */

export function isSame(a: DeviceRef, b: DeviceRef): boolean {
  return a.userId === b.userId && a.deviceId === b.deviceId;
}

export function memberOf(room: Room, device: DeviceRef): Member | undefined {
  return room.placed.members.find((member) => isSame(member, device));
}

export function memberAs(room: Room, participantId: string): Member | undefined {
  return room.placed.members.find((member) => member.participantId === participantId);
}

/** The home node serves the room and can be spoken to. */
export function isUp(room: Room): boolean {
  const { phase } = room.placed;
  return phase.kind === "open" && isUpAt(room, phase.nodeId);
}

/** This node of the room serves it and can be spoken to. */
export function isUpAt(room: Room, nodeId: string | null): boolean {
  return nodeId !== null && nodesOf(room).includes(nodeId) && nodeLive(room, nodeId).goneUntil === null;
}

/** The home node, and the satellites. */
export function nodesOf({ placed: { phase, satellites } }: Room): string[] {
  return phase.kind === "open" ? [phase.nodeId, ...satellites.map(({ nodeId }) => nodeId)] : [];
}

export function isHome({ placed: { phase } }: Room, nodeId: string): boolean {
  return phase.kind === "open" && phase.nodeId === nodeId;
}

export function nodeLive(room: Room, nodeId: string): NodeLive {
  const { probe, goneUntil, held, satellites } = room.live;
  return isHome(room, nodeId) ? { probe, goneUntil, held } : (satellites[nodeId] ?? WELL);
}

export function withNodeLive(room: Room, nodeId: string, change: Partial<NodeLive>): Room {
  if (isHome(room, nodeId)) return withLive(room, change);
  const { satellites } = room.live;
  return withLive(room, { satellites: { ...satellites, [nodeId]: { ...nodeLive(room, nodeId), ...change } } });
}

/** It has a place in the room as it is now: on its way, or taken. */
export function hasPlace({ placed }: Room, member: Member): boolean {
  return member.epoch === placed.epoch;
}

/** Its client knows that it is in. */
export function isInside(room: Room, member: Member): boolean {
  const isJoining = room.live.requests.some((r) => r.kind === "join" && r.participantId === member.participantId);
  return hasPlace(room, member) && !isJoining;
}

export function withPlaced(room: Room, change: Partial<Placed>): Room {
  return { ...room, placed: { ...room.placed, ...change } };
}

export function withLive(room: Room, change: Partial<Live>): Room {
  return { ...room, live: { ...room.live, ...change } };
}

export function withMember(room: Room, changed: Member): Room {
  const isKnown = memberOf(room, changed) !== undefined;
  const members = room.placed.members.map((member) => (isSame(member, changed) ? changed : member));
  return withPlaced(room, { members: isKnown ? members : [...members, changed] });
}

export function toNode(epoch: number, nodeId: string, message: ToNode): Command {
  return { type: "to_node", epoch, nodeId, message };
}

/** To the node where somebody has their place. */
export function toNodeOf({ epoch, nodeId }: Member, message: ToNode): Command[] {
  return nodeId === null ? [] : [toNode(epoch, nodeId, message)];
}

/** To those inside, but for one. */
export function tellOthers(room: Room, to: DeviceRef, notice: Notice): Command[] {
  const others = room.placed.members.filter((member) => isInside(room, member) && !isSame(member, to));
  return others.map((member) => tell(member, notice));
}

export function nameOf({ devices }: Attendance, { userId }: DeviceRef): string {
  return devices.find((device) => device.userId === userId)?.name ?? "";
}

/** @param joining counts as inside */
export function participants(room: Room, joining: Member, { call }: Context): RoomParticipant[] {
  const inside = room.placed.members.filter((member) => isInside(room, member) || isSame(member, joining));
  return inside.map((member) => {
    const { participantId, userId, deviceId } = member;
    const tracks = [...(room.live.tracks[participantId] ?? [])];
    return { participantId, userId, deviceId, name: nameOf(call, member), tracks };
  });
}

export function updated(
  member: DeviceRef & Pick<Member, "participantId">,
  { tracks, name }: Pick<RoomParticipant, "tracks" | "name">,
): Notice {
  const { userId, deviceId, participantId } = member;
  return { type: "participant_updated", userId, name, state: "joined", participantId, deviceId, tracks };
}

/** What is remembered of a place that is gone is forgotten. What its user has muted stays: they may come back. */
export function forgetPlace(room: Room, participantId: string): Room {
  const { requests, tracks, speaker, probe, satellites } = room.live;
  const unreported = (running: NodeLive["probe"]) =>
    running && { ...running, reporters: running.reporters.filter((id) => id !== participantId) };
  return withLive(room, {
    requests: requests.filter((request) => request.participantId !== participantId),
    tracks: without(tracks, participantId),
    speaker: speaker === participantId ? null : speaker,
    probe: unreported(probe),
    satellites: Object.fromEntries(
      Object.entries(satellites).map(([nodeId, live]) => [nodeId, { ...live, probe: unreported(live.probe) }]),
    ),
  });
}

export function without<T>(record: Readonly<Record<string, T>>, key: string): Readonly<Record<string, T>> {
  if (!(key in record)) return record;
  return Object.fromEntries(Object.entries(record).filter(([other]) => other !== key));
}

/** A place in the room as it is now is given up: the node is told, and the others see nothing of it any more. */
export function vacate(room: Room, member: Member, { call }: Context): Step {
  if (!hasPlace(room, member)) return unchanged(room);
  const hadTracks = (room.live.tracks[member.participantId] ?? []).length > 0;
  // That a user has left the call the others hear from the call itself.
  const isInCall = call.devices.some(({ userId }) => userId === member.userId);
  const emptied = forgetPlace(withMember(room, { ...member, epoch: 0 }), member.participantId);
  const gone = updated(member, { tracks: [], name: nameOf(call, member) });
  const heard = hadTracks && isInCall ? tellOthers(emptied, member, gone) : [];
  const left = leaveNode(emptied, member);
  return { room: left.room, commands: [...left.commands, ...heard] };
}

/** A node without a socket is told when it has one. */
function leaveNode(room: Room, member: Member): Step {
  const { phase, satellites } = room.placed;
  const { nodeId, participantId } = member;
  if (isUpAt(room, nodeId)) return { room, commands: toNodeOf(member, { type: "participant_leave", participantId }) };
  if (phase.kind !== "open") return unchanged(room);
  const waits = <T extends Pick<Satellite, "nodeId" | "leaving">>(node: T): T =>
    node.nodeId === nodeId ? { ...node, leaving: [...node.leaving, participantId] } : node;
  return unchanged(withPlaced(room, { phase: waits(phase), satellites: satellites.map(waits) }));
}
