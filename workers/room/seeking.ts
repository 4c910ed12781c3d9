import {
  ROOM_OPEN_MS,
  ROOM_RETRIES_MS,
  ROOM_RETRY_MS,
  ROOM_RETRY_SLOWEST_MS,
  ROOM_SEEK_MS,
} from "../../schema/limits.ts";
import { type Command, type Context, type Found, refusal, type Step, UNAVAILABLE, unchanged } from "./events.ts";
import { withPlaced } from "./members.ts";
import { NO_TERMS, type Phase, type Placed, type Room, type Seeking } from "./state.ts";

/** A node is found for a room: the fleet is asked, the node dials. Those who wait, wait for one of the two ends of that. Pure. */

/** From nothing. */
export function seek(room: Room, { call, now }: Context): Step {
  const { epoch, hasOpened, pairing } = room.placed;
  const isPair = call.isPair || pairing?.kind === "paired";
  const tells = isPair && !hasOpened ? "devices" : "members";
  return begin(room, { epoch, tried: [], tells }, now);
}

/** For the room as it is to be next; one that is open goes on meanwhile. */
export function begin(room: Room, about: Pick<Seeking, "epoch" | "tried" | "tells">, now: number): Step {
  return ask(room, { ...about, attempt: 0, nodeId: null, terms: NO_TERMS, since: now, until: 0 }, now);
}

function ask(room: Room, seeking: Seeking, now: number): Step {
  const attempt = room.placed.attempts + 1;
  const next = withSeeking(room, { ...seeking, attempt, nodeId: null, until: now + ROOM_OPEN_MS });
  const { epoch, tried: exclude } = seeking;
  const place: Command = { type: "place", epoch, attempt, exclude, part: null };
  return { room: withPlaced(next, { attempts: attempt }), commands: [place] };
}

export function seekingOf({ phase }: Pick<Placed, "phase">): Seeking | null {
  switch (phase.kind) {
    case "none":
      return null;
    case "seeking":
      return phase.seeking;
    case "open":
      return phase.next;
  }
}

function withSeeking(room: Room, seeking: Seeking | null): Room {
  const { phase } = room.placed;
  if (phase.kind === "open") return withPlaced(room, { phase: { ...phase, next: seeking } });
  const next: Phase = seeking ? { kind: "seeking", seeking } : { kind: "none" };
  return withPlaced(room, { phase: next });
}

/** The fleet has answered. */
export function placed(room: Room, attempt: number, placement: Found, now: number): Step {
  const seeking = seekingOf(room.placed);
  if (seeking?.attempt !== attempt || seeking.nodeId !== null) return unchanged(room);
  if (placement === null) return giveUp(room, now);
  if ("nodeId" in placement) {
    const { nodeId, takes, region } = placement;
    const terms = { takes, region };
    return unchanged(withSeeking(room, { ...seeking, nodeId, terms, until: now + ROOM_OPEN_MS }));
  }
  const until = now + placement.retryMs;
  return until >= seeking.since + ROOM_SEEK_MS
    ? giveUp(room, now)
    : unchanged(withSeeking(room, { ...seeking, until }));
}

/** The node did not dial, the fleet did not answer, or it is time to ask it again. */
export function seekOn(room: Room, seeking: Seeking, now: number): Step {
  if (now >= seeking.since + ROOM_SEEK_MS) return giveUp(room, now);
  const failed = seeking.nodeId === null ? [] : [seeking.nodeId];
  return ask(room, { ...seeking, tried: [...seeking.tried, ...failed] }, now);
}

/** There is no node: those who wait are told so. It is looked for again while somebody wants to be in. */
function giveUp(room: Room, now: number): Step {
  const { members, phase } = room.placed;
  const waiting = phase.kind === "open" ? [] : members.filter((member) => member.waiting);
  const retry = members.length === 0 ? null : nextRetry(room, now);
  const left = phase.kind === "open" ? members : members.map((member) => ({ ...member, waiting: null }));
  return {
    room: withPlaced(withSeeking(room, null), { retry, members: left }),
    commands: waiting.map((member) => refusal(member, member.waiting?.re, UNAVAILABLE)),
  };
}

/** More and more rarely: after as long as it has been tried for. */
function nextRetry({ placed: { retry } }: Room, now: number) {
  const since = retry?.since ?? now;
  const wait = Math.min(ROOM_RETRY_SLOWEST_MS, Math.max(ROOM_RETRY_MS, now - since));
  return now - since >= ROOM_RETRIES_MS ? null : { since, at: now + wait };
}

/** A node that failed before may be well again: by now any one will do. */
export function retry(room: Room, context: Context): Step {
  const { phase, epoch } = room.placed;
  const { now } = context;
  if (phase.kind === "open") return begin(room, { epoch: epoch + 1, tried: [phase.nodeId], tells: "members" }, now);
  return seek(room, context);
}
