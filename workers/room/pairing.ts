import type { RoomMessage } from "../../schema/client-messages.ts";
import type { DeviceRef } from "../../schema/ids.ts";
import { PAIRING_MS } from "../../schema/limits.ts";
import { type Command, type Context, type Step, tell, unchanged } from "./events.ts";
import { isInside, isSame, nameOf, withPlaced } from "./members.ts";
import { begin } from "./seeking.ts";
import { type Member, NO_ROOM, NOTHING_LIVE, type PairEnd, type Pairing, type Room } from "./state.ts";

/**
 * Two are left in a room: their media goes back to a connection of their own, make before break, if the deployment wants
 * that. Pure.
 */

type Opening = Extract<Pairing, { kind: "opening" }>;
type Paired = Extract<Pairing, { kind: "paired" }>;

/** After every step: whether two are alone, or are so no more. */
export function considerPair(room: Room, context: Context): Step {
  const { pairing, phase } = room.placed;
  const two = twoAlone(room, context);
  switch (pairing?.kind) {
    case undefined: {
      const { backToPairMs } = context;
      if (!two || backToPairMs === undefined) return unchanged(room);
      return unchanged(withPairing(room, { kind: "alone", at: context.now + backToPairMs }));
    }
    case "alone":
    case "failed":
      return unchanged(two ? room : withPairing(room, null));
    case "opening":
      if (!two?.every((member) => endOf(pairing, member))) return dropped(room, pairing, null);
      return pairing.ends.every(({ isUp }) => isUp) ? closed(room, pairing) : unchanged(room);
    case "paired":
      return unchanged(phase.kind === "open" ? withPairing(room, null) : room);
  }
}

/** Both in one room that stays where it is, nobody is on their way, and nobody shows a screen: a pair has no place for it. */
function twoAlone(room: Room, { call }: Context): readonly [Member, Member] | null {
  const { phase, old, members } = room.placed;
  if (!call.isLive || call.isRinging || call.devices.length !== 2) return null;
  if (phase.kind !== "open" || phase.next || phase.drainUntil !== null || old) return null;
  const [one, other, ...more] = members.filter((member) => isInside(room, member));
  if (!one || !other || more.length > 0 || members.length !== 2 || one.userId === other.userId) return null;
  return showsScreen(room, one) || showsScreen(room, other) ? null : [one, other];
}

function showsScreen({ live }: Room, { participantId }: Member): boolean {
  return (live.tracks[participantId] ?? []).some(({ source }) => source === "screen" || source === "screen_audio");
}

/** They have been alone for long enough, or their connection has not come about. */
export function pairingDue(room: Room, { now }: Context): Step {
  const { pairing } = room.placed;
  if (pairing?.kind === "alone" && pairing.at <= now) return opening(room, now);
  if (pairing?.kind === "opening" && pairing.until <= now) return dropped(room, pairing, { kind: "failed" });
  return unchanged(room);
}

function opening(room: Room, now: number): Step {
  const attempts = room.placed.attempts + 1;
  const connectionId = `pair-${attempts}`;
  const ends = room.placed.members.map(({ userId, deviceId, participantId }) => {
    return { userId, deviceId, participantId, isUp: false };
  });
  const pairing: Pairing = { kind: "opening", connectionId, ends, until: now + PAIRING_MS };
  const asked = ends.map((end, at) =>
    tell(end, { type: "room_pairing", connectionId, offer: at === 0, deadlineMs: PAIRING_MS }),
  );
  return { room: withPlaced(room, { pairing, attempts }), commands: asked };
}

/** A device has its end of the connection, and hears and sees the other one by it. */
export function pairUp(room: Room, from: DeviceRef, connectionId: string): Step {
  const { pairing } = room.placed;
  if (pairing?.kind !== "opening" || pairing.connectionId !== connectionId) return unchanged(room);
  const ends = pairing.ends.map((end) => (isSame(end, from) ? { ...end, isUp: true } : end));
  return unchanged(withPairing(room, { ...pairing, ends }));
}

/** The room goes on. */
function dropped(room: Room, { connectionId, ends }: Opening, next: Pairing | null): Step {
  const told = ends.map((end) => tell(end, { type: "room_pairing_failed", connectionId }));
  return { room: withPairing(room, next), commands: told };
}

/** Both have what they need: the room is over, and its node is free of it. */
function closed(room: Room, { connectionId, ends }: Opening): Step {
  const { epoch, attempts } = room.placed;
  const pairing: Paired = { kind: "paired", connectionId, ends };
  const told = ends.map((end) => tell(end, { type: "room_closed", epoch, connectionId }));
  const over: Command = { type: "close", epoch, why: "over" };
  const placed = { ...NO_ROOM.placed, epoch: epoch + 1, attempts, pairing };
  return { room: { placed, live: NOTHING_LIVE }, commands: [...told, over] };
}

/** Their media is peer to peer, and nobody else is there who would need a room. */
export function isPairEnough({ placed: { pairing } }: Room, { call }: Context): boolean {
  return pairing?.kind === "paired" && call.devices.every((device) => endOf(pairing, device));
}

/** The connection between the two is broken for good: a room takes its place. */
export function pairLost(room: Room, context: Context): Step {
  if (!isPairEnough(room, context)) return unchanged(room);
  const { epoch } = room.placed;
  return begin(
    withPlaced(room, { isWanted: true, pairing: null }),
    { epoch, tried: [], tells: "devices" },
    context.now,
  );
}

/** What somebody mutes or unmutes has no node to go through. */
export function pairUpdate(room: Room, from: DeviceRef, { muted }: MutedUpdate, { call }: Context): Step {
  const { pairing } = room.placed;
  const own = pairing?.kind === "paired" ? endOf(pairing, from) : undefined;
  const other = pairedWith(room, from);
  if (!own || !other || !muted) return unchanged(room);
  const { userId, deviceId, participantId } = own;
  const tracks = (["microphone", "camera"] as const).map((source) => ({ source, muted: muted.includes(source) }));
  const about = { userId, name: nameOf(call, own), state: "joined" as const, participantId, deviceId, tracks };
  return { room, commands: [tell(other, { type: "participant_updated", ...about })] };
}

type MutedUpdate = Extract<RoomMessage, { type: "room_update" }>;

/** The other end of a device's connection with somebody, while there is one or it is being made. */
export function pairedWith({ placed: { pairing } }: Room, from: DeviceRef): PairEnd | undefined {
  if (pairing?.kind !== "opening" && pairing?.kind !== "paired") return undefined;
  return endOf(pairing, from) && pairing.ends.find((end) => !isSame(end, from));
}

function endOf({ ends }: Opening | Paired, device: DeviceRef): PairEnd | undefined {
  return ends.find((end) => isSame(end, device));
}

function withPairing(room: Room, pairing: Pairing | null): Room {
  return room.placed.pairing === pairing ? room : withPlaced(room, { pairing });
}
