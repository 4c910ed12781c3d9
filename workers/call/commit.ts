import type { EndReason, Outcome } from "../../schema/call.ts";
import type { LogEntry } from "../../schema/call-log.ts";
import { MAX_LOG } from "../../schema/limits.ts";
import { isoTimestamp } from "../../schema/time.ts";
import { actorOf, answerOf, devicesIn, withClosedLegs, withoutStays } from "./people.ts";
import type { Actor, Call, Merge, Participant, Phase } from "./state.ts";

/** How a decision becomes a revision, and how a call or somebody's part in it ends. Pure. */

type Without<T, K extends PropertyKey> = T extends T ? Omit<T, K> : never;
/** What happened, before it is known at which revision. */
export type Happening = Without<LogEntry, "rev" | "at">;

/** One decision: one revision, one entry of the log. */
export function committed(call: Call, change: Partial<Call>, happening: Happening, now: number): Call {
  const rev = call.rev + 1;
  const entry: LogEntry = { ...happening, rev, at: isoTimestamp(now) };
  const log = [...call.log, entry];
  const next = { ...call, ...change, rev, log };
  // A long call's log goes over to the ledger piece by piece: a message of the queue holds no more.
  return log.length % MAX_LOG === 0 ? due(next, now) : next;
}

/** As the log names who acted: without a device where none was said. */
export function loggedOf({ userId, deviceId }: Actor): Extract<LogEntry, { kind: "declined" }>["by"] {
  return deviceId === null ? { userId } : { userId, deviceId };
}

/** The history is to know of this revision; the next deadline for telling it again counts from now. */
export function due(call: Call, now: number): Call {
  return { ...call, ledger: { ...call.ledger, due: call.rev, toldAt: now } };
}

export interface Ending {
  readonly outcome: Outcome;
  readonly reason: EndReason;
  readonly by: Actor | null;
  readonly at: number;
  readonly mergedInto?: Merge;
}

export function ended(call: Call, { outcome, reason, by, at, mergedInto }: Ending): Call {
  const actor = by && actorOf(by);
  const phase: Phase = {
    kind: "ended",
    outcome,
    reason,
    at,
    by: actor,
    answer: answerOf(call),
    mergedInto: mergedInto ?? null,
  };
  const participants = call.participants.map((participant) => gone(participant, reason, actor, at));
  const rest = { offer: null, answerSdp: null, redeliverAt: null, callerLostAt: null };
  const merged = mergedInto ? { mergedInto: mergedInto.callId } : {};
  const entry: Happening = {
    kind: "ended",
    by: by && loggedOf(by),
    outcome: mergedInto ? null : outcome,
    reason,
    ...merged,
  };
  return due(committed(call, { ...rest, phase, participants }, entry, at), at);
}

function gone(participant: Participant, reason: EndReason, by: Actor | null, at: number): Participant {
  if (participant.state === "joined") return settled(participant, "left", reason, by, at);
  return participant.state === "invited" ? settled(participant, "missed", reason, by, at) : participant;
}

/** Somebody's part is over: they have left, or will not come. */
export function settled(
  participant: Participant,
  state: Participant["state"],
  reason: EndReason,
  by: Actor | null,
  at: number,
): Participant {
  const left = withoutStays(withClosedLegs(participant), devicesIn(participant), at);
  return { ...left, state, settled: { at, by: by && actorOf(by), reason }, isHolding: false };
}
