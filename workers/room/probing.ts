import type { DeviceRef } from "../../schema/ids.ts";
import { ROOM_PROBE_MS } from "../../schema/room-socket.ts";
import { type Step, tell, unchanged } from "./events.ts";
import { hasPlace, isUp, isUpAt, memberAs, memberOf, nodeLive, toNode, withNodeLive } from "./members.ts";
import type { Room } from "./state.ts";

/**
 * A frozen node, or one whose network is cut, closes no socket. That its clients lose it, or that it does not answer, is
 * reason to ask whether it lives. Pure.
 */

/** One who is not inside has been told where to go, or is told now. */
export function pathLost(room: Room, from: DeviceRef, now: number): Step {
  const member = memberOf(room, from);
  if (!member || !isUp(room)) return unchanged(room);
  if (!hasPlace(room, member)) return { room, commands: [tell(member, { type: "recover", action: "rejoin" })] };
  return probe(room, member.nodeId, [member.participantId], now);
}

/** Once for all who ask at the same time. */
export function probe(room: Room, nodeId: string | null, reporters: readonly string[], now: number): Step {
  if (nodeId === null || !isUpAt(room, nodeId)) return unchanged(room);
  const { probe: running } = nodeLive(room, nodeId);
  const id = running?.id ?? `probe:${now}`;
  const until = running?.until ?? now + ROOM_PROBE_MS;
  const all = [...new Set([...(running?.reporters ?? []), ...reporters])];
  const asked = withNodeLive(room, nodeId, { probe: { id, until, reporters: all } });
  return { room: asked, commands: running ? [] : [toNode(room.placed.epoch, nodeId, { type: "room_probe", id })] };
}

/** The node lives, so it is the clients' own path that is broken. */
export function alive(room: Room, nodeId: string, id: string): Step {
  const { probe: running } = nodeLive(room, nodeId);
  if (running?.id !== id) return unchanged(room);
  const lost = running.reporters.flatMap((participantId) => memberAs(room, participantId) ?? []);
  return {
    room: withNodeLive(room, nodeId, { probe: null }),
    commands: lost.map((member) => tell(member, { type: "recover", action: "rejoin" })),
  };
}
