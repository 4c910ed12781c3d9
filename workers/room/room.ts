import type { DeviceRef } from "../../schema/ids.ts";
import { ROOM_REATTACH_MS, ROOM_UNREACHED_MS } from "../../schema/limits.ts";
import {
  type Command,
  type Context,
  chain,
  type Event,
  type NodeRef,
  refusal,
  type Step,
  unchanged,
} from "./events.ts";
import { hear } from "./hearing.ts";
import { join, leave } from "./joining.ts";
import { lingeringDue } from "./lingering.ts";
import { isSame, nodeLive, nodesOf, withNodeLive, withPlaced } from "./members.ts";
import { attached, closeOld, detached, isExpected, nodeLost } from "./moving.ts";
import { considerPair, isPairEnough, pairingDue, pairLost, pairUp, pairUpdate } from "./pairing.ts";
import { pathLost, probe } from "./probing.ts";
import { answer, overdue, renegotiate, update } from "./requests.ts";
import { reached, tidy, unreached } from "./satellites.ts";
import { placed, retry, seek, seekingOf, seekOn } from "./seeking.ts";
import { NO_ROOM, type Reaching, type Room } from "./state.ts";

/**
 * The room of a group call: on which SFU node its media is, and who is in it. Pure: `step(room, event, context)`.
 * Whatever happens, whoever asks to be let in hears in the end that they are, or that they are not.
 */
export function step(room: Room, event: Event, context: Context): Step {
  const { room: next, commands } = chain(
    room,
    (now) => apply(now, event, context),
    (now) => tidy(now, context),
    (now) => considerPair(now, context),
  );
  return { room: next, commands: commands.filter((command) => isForThoseInCall(command, context)) };
}

/** The last word on who hears anything: that something was refused is for whoever asked. */
function isForThoseInCall(command: Command, { call }: Context): boolean {
  if (command.type !== "tell" || command.notice.type === "error") return true;
  return call.devices.some((device) => isSame(device, command.to));
}

function apply(room: Room, event: Event, context: Context): Step {
  const { now } = context;
  switch (event.type) {
    case "call_changed":
      return callChanged(room, context);
    case "asked":
      return asked(room, event, context);
    case "path_lost":
      return pathLost(room, event.from, now);
    case "pair_up":
      return pairUp(room, event.from, event.connectionId);
    case "pair_lost":
      return pairLost(room, context);
    case "placed":
      return room.placed.reaching?.attempt === event.attempt
        ? reached(room, room.placed.reaching, event.placement, now)
        : placed(room, event.attempt, event.placement, now);
    case "attached":
      return isExpected(room, event.epoch, event.nodeId)
        ? attached(room, event.epoch, event.nodeId, context)
        : unchanged(room);
    case "detached":
      return detached(room, event.epoch, event.nodeId, context);
    case "heard":
      return isServing(room, event) ? hear(room, event.nodeId, event.message, context) : unchanged(room);
    case "restarted":
      return unchanged(restarted(room, event.attached, now));
    case "time_passed":
      return timePassed(room, context);
  }
}

/** What the node of an old room says comes too late. */
function isServing(room: Room, { epoch, nodeId }: NodeRef): boolean {
  return room.placed.epoch === epoch && nodesOf(room).includes(nodeId);
}

function callChanged(room: Room, context: Context): Step {
  const { call } = context;
  if (!call.isLive) return over(room);
  const gone = room.placed.members.filter((member) => !call.devices.some((device) => isSame(device, member)));
  return chain(room, ...gone.map((member) => (now: Room) => leave(now, member, context)), (now) =>
    call.isWanted ? wanted(now, context) : unchanged(now),
  );
}

/** Once: the node is found while people still make their offers. */
function wanted(room: Room, context: Context): Step {
  const { isWanted, phase } = room.placed;
  if (isWanted || isPairEnough(room, context)) return unchanged(room);
  const next = withPlaced(room, { isWanted: true });
  return phase.kind === "none" ? seek(next, context) : unchanged(next);
}

/** With the call. */
function over(room: Room): Step {
  const { phase, epoch, old } = room.placed;
  const epochs = [...(phase.kind === "open" ? [epoch] : []), ...(old ? [old.epoch] : [])];
  return { room: NO_ROOM, commands: epochs.map((each) => ({ type: "close", epoch: each, why: "over" })) };
}

function asked(room: Room, event: Extract<Event, { type: "asked" }>, context: Context): Step {
  const { from, message } = event;
  const refused = mayAsk(from, context);
  if (refused) return { room, commands: [refusal(from, message.id, refused)] };
  switch (message.type) {
    case "room_join":
      return join(room, event, message, context);
    case "renegotiate":
      return renegotiate(room, from, message, context.now);
    case "renegotiate_answer":
      return answer(room, from, message, context.now);
    case "room_update":
      return room.placed.pairing?.kind === "paired"
        ? pairUpdate(room, from, message, context)
        : update(room, from, message);
  }
}

function mayAsk(from: DeviceRef, { call }: Context) {
  if (!call.isLive || !call.devices.some((device) => isSame(device, from))) {
    return { code: "not_in_call" as const, message: "this device is not in the call" };
  }
  return call.isGroup ? null : { code: "forbidden" as const, message: "the media of two is peer to peer" };
}

/**
 * A restart of the edge closes every socket, that of a node which is well too: it dials again, with the same epoch, and
 * its clients have noticed nothing. So only an object that has just restarted waits for it. One that was there when the
 * socket closed knows that nothing of its own did it: the node's process is gone, and every second is silence.
 */
function restarted(room: Room, attached: readonly NodeRef[], now: number): Room {
  const here = attached.flatMap(({ epoch, nodeId }) => (epoch === room.placed.epoch ? [nodeId] : []));
  const gone = nodesOf(room).filter((nodeId) => !here.includes(nodeId));
  return gone.reduce((is, nodeId) => withNodeLive(is, nodeId, { goneUntil: now + ROOM_REATTACH_MS }), room);
}

function timePassed(room: Room, context: Context): Step {
  const { now } = context;
  const late = room.live.requests.filter(({ until }) => until <= now);
  return chain(
    room,
    (is) => (isDue(is.placed.old?.until, now) ? closeOld(is) : unchanged(is)),
    (is) => lingeringDue(is, context),
    (is) => silentNodesLost(is, context),
    (is) =>
      chain(is, ...late.filter((each) => is.live.requests.includes(each)).map((each) => (r: Room) => overdue(r, each))),
    (is) =>
      chain(
        is,
        ...late.map(
          ({ nodeId }) =>
            (r: Room) =>
              probe(r, nodeId, [], now),
        ),
      ),
    (is) =>
      is.placed.reaching && isDue(is.placed.reaching.until, now)
        ? notDialled(is, is.placed.reaching, now)
        : unchanged(is),
    (is) => pairingDue(is, context),
    (is) => seekOrRetry(is, context),
  );
}

/** Satellites first, so that none of them succeeds the home node. */
function silentNodesLost(room: Room, context: Context): Step {
  const silent = nodesOf(room).filter((nodeId) => {
    const { probe: running, goneUntil } = nodeLive(room, nodeId);
    return isDue(running?.until, context.now) || isDue(goneUntil, context.now);
  });
  return chain(room, ...silent.reverse().map((nodeId) => (is: Room) => nodeLost(is, nodeId, context)));
}

function notDialled(room: Room, reaching: Reaching, now: number): Step {
  return unreached(room, reaching, ROOM_UNREACHED_MS, now);
}

function seekOrRetry(room: Room, context: Context): Step {
  const { now } = context;
  const seeking = seekingOf(room.placed);
  if (seeking) return isDue(seeking.until, now) ? seekOn(room, seeking, now) : unchanged(room);
  return isDue(room.placed.retry?.at, now) ? retry(room, context) : unchanged(room);
}

function isDue(at: number | null | undefined, now: number): boolean {
  return at != null && at <= now;
}

/** When the alarm is to wake the object, in Unix ms: for what may take long. It is a row, and an object that hibernates. */
export function alarmDeadline({ placed: { old, retry: again, pairing, ...rest } }: Room): number | null {
  return earliest([old?.until, seekingOf(rest) ? null : again?.at, pairing?.kind === "alone" ? pairing.at : null]);
}

/**
 * When a timer is to fire: for what is over within moments. It keeps the object awake, and costs nothing if it is taken
 * back before; with the alarm each question to a node would be a row.
 */
export function timerDeadline(room: Room): number | null {
  const { placed, live } = room;
  const nodes = nodesOf(room).map((nodeId) => nodeLive(room, nodeId));
  return earliest([
    seekingOf(placed)?.until,
    placed.reaching?.until,
    ...placed.lingering.map(({ until }) => until),
    placed.pairing?.kind === "opening" ? placed.pairing.until : null,
    ...live.requests.map(({ until }) => until),
    ...nodes.flatMap(({ probe: running, goneUntil }) => [running?.until, goneUntil]),
  ]);
}

function earliest(times: readonly (number | null | undefined)[]): number | null {
  const due = times.filter((time) => time != null);
  return due.length === 0 ? null : Math.min(...due);
}
