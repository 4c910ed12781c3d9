import type { DeviceRef } from "../../schema/ids.ts";
import { ROOM_REATTACH_MS } from "../../schema/limits.ts";
import { type Command, type Context, chain, type Event, refusal, type Step, unchanged } from "./events.ts";
import { hear } from "./hearing.ts";
import { join, leave } from "./joining.ts";
import { isSame, withLive, withPlaced } from "./members.ts";
import { attached, closeOld, detached, isExpected, lost } from "./moving.ts";
import { pathLost, probe } from "./probing.ts";
import { answer, overdue, renegotiate, update } from "./requests.ts";
import { placed, retry, seek, seekingOf, seekOn } from "./seeking.ts";
import { NO_ROOM, type Room } from "./state.ts";

/**
 * The room of a group call: on which SFU node its media is, and who is in it. Pure: `step(room, event, context)`.
 * Whatever happens, whoever asks to be let in hears in the end that they are, or that they are not.
 */
export function step(room: Room, event: Event, context: Context): Step {
  const { room: next, commands } = apply(room, event, context);
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
    case "placed":
      return placed(room, event.attempt, event.placement, now);
    case "attached":
      return isExpected(room, event.epoch, event.nodeId) ? attached(room, event.epoch, context) : unchanged(room);
    case "detached":
      return detached(room, event.epoch, event.nodeId, context);
    case "heard":
      return isServing(room, event.epoch) ? hear(room, event.message, context) : unchanged(room);
    case "restarted":
      return unchanged(restarted(room, event.attached, now));
    case "time_passed":
      return timePassed(room, context);
  }
}

/** What the node of an old room says comes too late. */
function isServing({ placed: { phase, epoch } }: Room, from: number): boolean {
  return phase.kind === "open" && epoch === from;
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
  if (isWanted) return unchanged(room);
  const next = withPlaced(room, { isWanted: true });
  return phase.kind === "none" ? seek(next, context) : unchanged(next);
}

/** With the call. */
function over(room: Room): Step {
  const { phase, epoch, old } = room.placed;
  const epochs = [...(phase.kind === "open" ? [epoch] : []), ...(old ? [old.epoch] : [])];
  return { room: NO_ROOM, commands: epochs.map((each) => ({ type: "close", epoch: each, why: "over" })) };
}

function asked(room: Room, { from, message, id }: Extract<Event, { type: "asked" }>, context: Context): Step {
  const refused = mayAsk(from, context);
  if (refused) return { room, commands: [refusal(from, message.id, refused)] };
  switch (message.type) {
    case "room_join":
      return join(room, from, message, id, context);
    case "renegotiate":
      return renegotiate(room, from, message, context.now);
    case "renegotiate_answer":
      return answer(room, from, message, context.now);
    case "room_update":
      return update(room, from, message);
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
function restarted(room: Room, attachedEpochs: readonly number[], now: number): Room {
  const { phase, epoch } = room.placed;
  if (phase.kind !== "open" || attachedEpochs.includes(epoch)) return room;
  return withLive(room, { goneUntil: now + ROOM_REATTACH_MS });
}

function timePassed(room: Room, context: Context): Step {
  const { now } = context;
  const late = room.live.requests.filter(({ until }) => until <= now);
  return chain(
    room,
    (is) => (isDue(is.placed.old?.until, now) ? closeOld(is) : unchanged(is)),
    (is) => (isDue(is.live.probe?.until, now) || isDue(is.live.goneUntil, now) ? lost(is, context) : unchanged(is)),
    (is) =>
      chain(is, ...late.filter((each) => is.live.requests.includes(each)).map((each) => (r: Room) => overdue(r, each))),
    (is) => (late.length > 0 ? probe(is, [], now) : unchanged(is)),
    (is) => seekOrRetry(is, context),
  );
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
export function alarmDeadline({ placed: { old, retry: again, ...rest } }: Room): number | null {
  return earliest([old?.until, seekingOf(rest) ? null : again?.at]);
}

/**
 * When a timer is to fire: for what is over within moments. It keeps the object awake, and costs nothing if it is taken
 * back before; with the alarm each question to a node would be a row.
 */
export function timerDeadline({ placed, live: { requests, probe: running, goneUntil } }: Room): number | null {
  return earliest([seekingOf(placed)?.until, ...requests.map(({ until }) => until), running?.until, goneUntil]);
}

function earliest(times: readonly (number | null | undefined)[]): number | null {
  const due = times.filter((time) => time != null);
  return due.length === 0 ? null : Math.min(...due);
}
