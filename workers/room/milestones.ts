import type { Event } from "./events.ts";
import { nodesOf } from "./members.ts";
import { seekingOf } from "./seeking.ts";
import { NO_ROOM, type Room } from "./state.ts";

/** What of a room's life is worth a line in the log. Pure. */

export interface Milestone {
  readonly event:
    | "room_placed"
    | "room_unplaced"
    | "room_opened"
    | "room_spread"
    | "room_node_left"
    | "room_moved"
    | "room_closed";
  readonly epoch: number;
  readonly nodeId?: string;
  readonly reason?: "socket_closed" | "drained" | "not_answering" | "not_back" | "paired";
}

export function milestones(before: Room, event: Event, after: Room): Milestone[] {
  const { phase, epoch } = before.placed;
  const isPaired = before.placed.pairing?.kind === "opening" && after.placed.pairing?.kind === "paired";
  if (isPaired) return [{ event: "room_closed", epoch, reason: "paired" }];
  if (after === NO_ROOM) return phase.kind === "open" ? [{ event: "room_closed", epoch }] : [];
  return [
    ...seeking(before, after),
    ...moved(before, event, after),
    ...opened(before, after),
    ...spread(before, after),
  ];
}

function seeking(before: Room, after: Room): Milestone[] {
  const [was, is] = [seekingOf(before.placed), seekingOf(after.placed)];
  if (is?.nodeId && is.nodeId !== was?.nodeId) return [{ event: "room_placed", epoch: is.epoch, nodeId: is.nodeId }];
  const isFound = opened(before, after).length > 0 || after.placed.epoch > before.placed.epoch;
  return was && !is && !isFound ? [{ event: "room_unplaced", epoch: was.epoch }] : [];
}

function moved(before: Room, event: Event, { placed: { epoch } }: Room): Milestone[] {
  return epoch > before.placed.epoch ? [{ event: "room_moved", epoch, reason: reasonOf(before, event) }] : [];
}

function opened({ placed: was }: Room, { placed: { phase, epoch } }: Room): Milestone[] {
  const isNew = phase.kind === "open" && (was.phase.kind !== "open" || epoch !== was.epoch);
  return isNew ? [{ event: "room_opened", epoch, nodeId: phase.nodeId }] : [];
}

/** Of a room that stays in its epoch: a further node comes, or one of several is gone. */
function spread(before: Room, after: Room): Milestone[] {
  const { epoch } = after.placed;
  const [had, has] = [nodesOf(before), nodesOf(after)];
  if (epoch !== before.placed.epoch || had.length === 0) return [];
  const added = has.filter((nodeId) => !had.includes(nodeId));
  const gone = had.filter((nodeId) => !has.includes(nodeId));
  return [
    ...added.map((nodeId) => ({ event: "room_spread" as const, epoch, nodeId })),
    ...gone.map((nodeId) => ({ event: "room_node_left" as const, epoch, nodeId })),
  ];
}

function reasonOf({ live }: Room, { type }: Event): NonNullable<Milestone["reason"]> {
  if (type === "detached") return "socket_closed";
  if (type === "time_passed") return live.goneUntil === null ? "not_answering" : "not_back";
  return "drained";
}
