import * as z from "zod";
import { LogEntry } from "../../../schema/call-log.ts";
import type { Absence, Cast, Cue } from "./cast.ts";
import { historyOf } from "./invariants.ts";

/** One device is away for a while; in the run that this is compared with it is there, and does nothing meanwhile. */

/** From the network's return until the device has its sockets again. */
const BACK_MS = 4_000;
/** Between two things that people do: what follows from the one has arrived before the other. */
const APART_MS = 2_500;

/** What is done in the run with the absence, and in the one without. */
export interface Outing {
  readonly away: readonly Cue[];
  readonly there: readonly Cue[];
}

/**
 * What the device was to do meanwhile it does when it is back, and the others then go on after that.
 * @param isHasty it does so while it is away, if that is one thing and nobody does anything after it
 */
export function outing(cues: readonly Cue[], { at, forMs, device }: Absence, isHasty: boolean): Outing {
  const end = at + forMs;
  const meanwhile = cues.filter((cue) => cue.at >= at && cue.at < end);
  const own = meanwhile.filter((cue) => cue.device === device);
  const delayed = [...own, ...cues.filter((cue) => cue.at >= end)].map((cue, i) => ({
    ...cue,
    at: end + BACK_MS + i * APART_MS,
  }));
  const there = [...cues.filter((cue) => cue.at < end && !own.includes(cue)), ...delayed];
  const [only, another] = own;
  if (!isHasty || !only || another || meanwhile.at(-1) !== only) return { there, away: there };
  const again = end + BACK_MS;
  return { there, away: there.map((cue) => (cue === delayed[0] ? { ...only, again } : cue)) };
}

/** What everybody and the history have come to, without times. */
export function ending(cast: Cast): string {
  const history = historyOf(cast).map(({ callType, state, outcome, reason, answeredBy, participants }) => {
    const people = participants.map((each) => [
      each.userId,
      each.state,
      each.outcome,
      each.devices.map(({ deviceId }) => deviceId),
    ]);
    return { callType, state, outcome, reason, answeredBy, people };
  });
  const beliefs = [...cast.devices.values()].map(({ deviceId, calls }) => [
    deviceId,
    [...calls].flatMap(([callId, { belief, isOver }]) => (isOver ? [] : [[callId, belief]])),
  ]);
  return cast.named([history, beliefs]);
}

const Row = z.object({ log: z.array(LogEntry) });

/** The limits of the protocol that have passed, and handoffs that the end of their call has cut short. */
export function deadlines(cast: Cast): string[] {
  return cast.world.callIds.flatMap((callId) => {
    const log = Row.safeParse(cast.world.call(callId).stored("call")).data?.log ?? [];
    const passed = log.filter(isDeadline).map(({ kind }) => kind);
    const last = log.filter(({ kind }) => kind.startsWith("hand")).at(-1);
    return [...passed, ...(last?.kind === "handoff_started" ? [last.kind] : [])].map(
      (kind) => `${cast.named(callId)}: ${kind}`,
    );
  });
}

function isDeadline(entry: LogEntry): boolean {
  if (entry.kind === "missed" || entry.kind === "handoff_failed") return true;
  return entry.kind === "ended" && (entry.reason === "media_timeout" || entry.reason === "caller_lost");
}
