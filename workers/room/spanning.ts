import { ROOM_OPEN_MS, ROOM_SPAN_GAIN_MS } from "../../schema/limits.ts";
import { type Command, type Step, unchanged } from "./events.ts";
import { isUpAt, nodesOf, withPlaced } from "./members.ts";
import { type Member, NO_TERMS, type Reaching, type Room, type Rtts, type Satellite } from "./state.ts";

/** To which node of a room somebody comes, and when the room needs a further one. Pure. */

/** `reach`: wait for a further node. */
export type Choice =
  | { readonly kind: "node"; readonly nodeId: string }
  | { readonly kind: "reach"; readonly region: string | null };

/**
 * Back to where one was; to the near region; to the home node while it has room; to a node that is there already. The
 * home node takes those for whom there is no other, too.
 */
export function choose(room: Room, member: Member, now: number): Choice | null {
  const { phase } = room.placed;
  if (phase.kind !== "open") return null;
  const nodes = [phase, ...room.placed.satellites.filter(({ isDraining }) => !isDraining)];
  const withRoom = nodes.filter((node) => hasRoom(room, node));
  const region = nearRegion(phase.terms.region, member.waiting?.rtts ?? {});
  const found =
    nodes.find(({ nodeId }) => nodeId === member.nodeId) ?? withRoom.find(({ terms }) => terms.region === region);
  if (found) return { kind: "node", nodeId: found.nodeId };
  if (region !== phase.terms.region && mayReach(room, region, now)) return { kind: "reach", region };
  const [free] = withRoom;
  if (!free && mayReach(room, null, now)) return { kind: "reach", region: null };
  return { kind: "node", nodeId: (free ?? phase).nodeId };
}

/** Who has lost their place comes back to it, and is counted. */
function hasRoom({ placed }: Room, { nodeId, terms }: Pick<Satellite, "nodeId" | "terms">): boolean {
  return placed.members.filter((member) => member.nodeId === nodeId).length < terms.takes;
}

/** Another one than the home node's only if it gains more than the way through a second node costs. */
function nearRegion(home: string, rtts: Rtts): string {
  const toHome = rtts[home];
  const [nearest] = Object.entries(rtts).sort(([, a], [, b]) => a - b);
  return toHome !== undefined && nearest && toHome - nearest[1] >= ROOM_SPAN_GAIN_MS ? nearest[0] : home;
}

/** A room that is about to move as a whole is not spread before. */
function mayReach({ placed: { phase }, live }: Room, region: string | null, now: number): boolean {
  const isStaying = phase.kind === "open" && phase.drainUntil === null && phase.next === null;
  return isStaying && (live.unreached[region ?? ""] ?? 0) <= now;
}

/** One at a time: who waits is looked at again when it is there. */
export function reach(room: Room, region: string | null, now: number): Step {
  if (room.placed.reaching) return unchanged(room);
  const { epoch, old, members } = room.placed;
  const attempt = room.placed.attempts + 1;
  const reaching: Reaching = { attempt, region, nodeId: null, terms: NO_TERMS, until: now + ROOM_OPEN_MS };
  const exclude = [...nodesOf(room), ...(old ? [old.nodeId] : [])];
  const people = members.filter(({ waiting }) => waiting).length;
  const place: Command = { type: "place", epoch, attempt, exclude, part: { region, people } };
  return { room: withPlaced(room, { attempts: attempt, reaching }), commands: [place] };
}

/** A node of the room that is well and stays. */
export function successorOf(room: Room): Satellite | undefined {
  return room.placed.satellites.find(({ nodeId, isDraining }) => !isDraining && isUpAt(room, nodeId));
}
