import { ROOM_MOVE_MS } from "../../schema/limits.ts";
import { type Command, type Context, chain, type Step, tell, unchanged } from "./events.ts";
import { admitAll } from "./joining.ts";
import { hasPlace, isHome, isSame, nodeLive, nodesOf, toNode, withLive, withNodeLive, withPlaced } from "./members.ts";
import { unanswered } from "./requests.ts";
import { dropSatellite, satelliteDrained, satelliteOpened, stepDown, succeed } from "./satellites.ts";
import { begin } from "./seeking.ts";
import { successorOf } from "./spanning.ts";
import { type Phase, type Room, type Seeking, WELL } from "./state.ts";

/** A room opens on a node, and moves to another: before that one stops, or when it is lost. Pure. */

type Open = Extract<Phase, { kind: "open" }>;

/**
 * A node that dials is let in only for the epoch that was placed on it. One that comes back with an epoch that is over
 * has been away: its clients have gone on elsewhere.
 */
export function isExpected(room: Room, epoch: number, nodeId: string): boolean {
  const { placed } = room;
  const { phase, old, reaching } = placed;
  if (old?.epoch === epoch) return old.nodeId === nodeId;
  switch (phase.kind) {
    case "none":
      return false;
    case "seeking":
      return phase.seeking.epoch === epoch && phase.seeking.nodeId === nodeId;
    case "open":
      return epoch === placed.epoch
        ? reaching?.nodeId === nodeId || nodesOf(room).includes(nodeId)
        : phase.next?.epoch === epoch && phase.next.nodeId === nodeId;
  }
}

/** The socket of an expected node is up. */
export function attached(room: Room, epoch: number, nodeId: string, context: Context): Step {
  const { phase, reaching } = room.placed;
  if (phase.kind === "seeking") return opened(room, phase.seeking, context);
  if (phase.kind !== "open") return unchanged(room);
  if (phase.next?.epoch === epoch) return swapped(room, phase, phase.next, context);
  if (epoch !== room.placed.epoch) return unchanged(room);
  if (reaching?.nodeId === nodeId) return satelliteOpened(room, reaching, context.now);
  return reattached(room, nodeId, context.now);
}

function opened(room: Room, seeking: Seeking, context: Context): Step {
  // Two whose media is peer to peer keep it until they have moved; others have none.
  const deadlineMs = seeking.tells === "devices" ? ROOM_MOVE_MS : 0;
  return chain(
    room,
    (now) => unchanged(served(now, seeking)),
    (now) => admitAll(now, context.now),
    (now) => announce(now, seeking.tells, deadlineMs, context),
  );
}

function served(room: Room, { epoch, nodeId, terms }: Seeking): Room {
  const phase: Phase = { kind: "open", nodeId: nodeId ?? "", terms, drainUntil: null, next: null, leaving: [] };
  return withPlaced(room, {
    epoch,
    phase,
    satellites: [],
    reaching: null,
    lingering: [],
    hasOpened: true,
    retry: null,
  });
}

/** Make before break: the old node serves the call until all have moved. What it is asked and says by then is of no use any more. */
function swapped(room: Room, { nodeId, drainUntil }: Open, next: Seeking, context: Context): Step {
  const { now } = context;
  const { epoch } = room.placed;
  const deadlineMs = Math.max(0, Math.min(ROOM_MOVE_MS, (drainUntil ?? now) - now));
  const old = { epoch, nodeId, until: now + deadlineMs };
  return chain(
    room,
    unanswered,
    (was) => unchanged(silent(withPlaced(served(was, next), { old }))),
    (was) => admitAll(was, now),
    (was) => announce(was, "members", deadlineMs, context),
  );
}

/**
 * The same node with the same room: its process lives, and its clients have noticed nothing. Its socket had gone with
 * all others in a restart of the edge, or was dead without our having heard so.
 */
function reattached(room: Room, nodeId: string, now: number): Step {
  const { epoch, phase, satellites } = room.placed;
  const node = [phase, ...satellites].find((each) => "nodeId" in each && each.nodeId === nodeId);
  const leaving = node && "leaving" in node ? node.leaving : [];
  const leaves = leaving.map((participantId) => toNode(epoch, nodeId, { type: "participant_leave", participantId }));
  const held = nodeLive(room, nodeId).held.map((message) => toNode(epoch, nodeId, message));
  const heard = withNodeLive(room, nodeId, { goneUntil: null, held: [] });
  const back = leaves.length === 0 ? heard : withLeavesTold(heard, nodeId);
  const admitted = admitAll(back, now);
  return { room: admitted.room, commands: [...leaves, ...held, ...admitted.commands] };
}

function withLeavesTold(room: Room, nodeId: string): Room {
  const { phase, satellites } = room.placed;
  const told = <T extends object>(node: T): T =>
    "nodeId" in node && node.nodeId === nodeId ? { ...node, leaving: [] } : node;
  return withPlaced(room, { phase: told(phase), satellites: satellites.map(told) });
}

/** Nothing is known yet of what goes on in the next room. */
function silent(room: Room): Room {
  return withLive(room, { tracks: {}, speaker: null, satellites: {}, ...WELL });
}

/** To those who are not there and not on their way. */
function announce(room: Room, whom: Seeking["tells"], deadlineMs: number, { call }: Context): Step {
  const { epoch, members } = room.placed;
  const coming = members.filter((member) => hasPlace(room, member) || member.waiting);
  const all = whom === "nobody" ? [] : whom === "members" ? members : call.devices;
  const absent = all.filter((device) => !coming.some((member) => isSame(member, device)));
  return { room, commands: absent.map((device) => tell(device, { type: "room_moved", epoch, deadlineMs })) };
}

/**
 * The node has lost the room. Everybody is sent to the next epoch at once: they make their offers, for some 30 ms, while
 * a node is found, and what they send waits for its socket. That one is up within 8 ms on one machine; over a network it
 * takes four round trips, which telling them only then would add to the silence.
 */
export function lost(room: Room, context: Context): Step {
  const { phase, epoch, members } = room.placed;
  if (phase.kind !== "open") return unchanged(room);
  const successor = successorOf(room);
  if (successor) return succeed(room, phase, successor, context);
  const over: Command = { type: "close", epoch, why: "stale" };
  const seeking: Seeking | null = phase.next && { ...phase.next, tells: "nobody" };
  const next: Phase = seeking && members.length > 0 ? { kind: "seeking", seeking } : { kind: "none" };
  const tried = [phase.nodeId];
  return chain(
    room,
    unanswered,
    closeOld,
    (now) => ({
      room: silent(
        withPlaced(now, { epoch: epoch + 1, phase: next, satellites: [], reaching: null, lingering: [], retry: null }),
      ),
      commands: [over],
    }),
    (now) => announce(now, "members", 0, context),
    (now) =>
      members.length === 0 || seeking
        ? unchanged(now)
        : begin(now, { epoch: epoch + 1, tried, tells: "nobody" }, context.now),
  );
}

/** A node of several, or the only one. */
export function nodeLost(room: Room, nodeId: string, context: Context): Step {
  if (isHome(room, nodeId)) return lost(room, context);
  return nodesOf(room).includes(nodeId) ? dropSatellite(room, nodeId, context) : unchanged(room);
}

/** The node wants to stop: another one is found while it goes on. */
export function drained(room: Room, nodeId: string, deadlineMs: number, { now }: Context): Step {
  const { phase, epoch, members, satellites } = room.placed;
  const satellite = satellites.find((each) => each.nodeId === nodeId);
  if (satellite) return satelliteDrained(room, satellite);
  if (phase.kind !== "open" || phase.drainUntil !== null) return unchanged(room);
  const successor = successorOf(room);
  if (successor) return stepDown(room, phase, successor);
  if (members.length === 0) {
    const none = withPlaced(room, { epoch: epoch + 1, phase: { kind: "none" } });
    return { room: silent(none), commands: [{ type: "close", epoch, why: "stale" }] };
  }
  const draining = withPlaced(room, { phase: { ...phase, drainUntil: now + deadlineMs } });
  return begin(draining, { epoch: epoch + 1, tried: [phase.nodeId], tells: "members" }, now);
}

/** All have moved, or have had the time to. */
export function closeOld(room: Room): Step {
  const { old, members } = room.placed;
  if (!old) return unchanged(room);
  const moved = members.map((member) => ({ ...member, former: null }));
  return {
    room: withPlaced(room, { old: null, members: moved }),
    commands: [{ type: "close", epoch: old.epoch, why: "stale" }],
  };
}

/** A node's socket closed under us: of the room as it is now, that is its node's end. */
export function detached(room: Room, epoch: number, nodeId: string, context: Context): Step {
  const { phase, old } = room.placed;
  if (old?.epoch === epoch) return old.nodeId === nodeId ? closeOld(room) : unchanged(room);
  return phase.kind === "open" && epoch === room.placed.epoch ? nodeLost(room, nodeId, context) : unchanged(room);
}
