import {
  BACKSTOP_MS,
  CALLER_GRACE_MS,
  CONNECT_MS,
  OUTCOME_KEPT_MS,
  RING_MS,
  ROOM_RETRIES_MS,
} from "../../schema/limits.ts";
import { hasNobodyToRing, isGroup, isInvited, isLive } from "./people.ts";
import { unreachableAt } from "./ringing.ts";
import type { Call } from "./state.ts";
import { isConfirmed } from "./writing.ts";

/** When a call wants to be woken, and what is due then. Pure. */

/**
 * When the machine next wants to be woken, in Unix ms.
 * @param ledgerRetryMs how long the ledger may take to confirm
 */
export function nextDeadline(call: Call, now: number, ledgerRetryMs: number): number {
  const deadlines = [phaseDeadline(call, now, ledgerRetryMs)];
  if (call.redeliverAt !== null) deadlines.push(call.redeliverAt);
  if (call.phase.kind !== "ended") deadlines.push(...ringDeadlines(call), ...otherDeadlines(call));
  return Math.min(...deadlines);
}

/**
 * While it rings that is first the moment at which an immediate answer would have to have media: an
 * answered call then needs no alarm of its own, which saves a row for most calls.
 */
function phaseDeadline(call: Call, now: number, ledgerRetryMs: number): number {
  const { phase } = call;
  switch (phase.kind) {
    case "ringing": {
      const look = call.createdAt + CONNECT_MS;
      return now < look ? look : Number.POSITIVE_INFINITY;
    }
    case "connecting":
      return mediaDueAt(call, phase.until);
    case "connected":
    case "reconnecting":
      return call.lastSignAt + BACKSTOP_MS;
    case "ended":
      return isConfirmed(call) ? phase.at + OUTCOME_KEPT_MS : call.ledger.toldAt + ledgerRetryMs;
  }
}

/**
 * When an answered call without media is given up, in Unix ms. A group's is in a room, for which a node may have to be
 * looked for first: it has that time besides.
 */
export function mediaDueAt(call: Call, until: number): number {
  return isGroup(call) ? until + ROOM_RETRIES_MS : until;
}

function ringDeadlines(call: Call): number[] {
  const rung = call.participants.filter(isInvited);
  if (rung.length === 0 && call.phase.kind === "ringing") return [call.createdAt + RING_MS];
  return rung.map((each) => (hasNobodyToRing(call, each) ? unreachableAt(each) : each.ringUntil));
}

function otherDeadlines(call: Call): number[] {
  return [
    ...(call.handoff ? [call.handoff.until] : []),
    ...(call.callerLostAt === null ? [] : [call.callerLostAt + CALLER_GRACE_MS]),
  ];
}

/**
 * Whether the alarm may be moved later after this change: where one that comes too early would only be
 * a wake-up for nothing. That is once media is up, and once an end is confirmed.
 */
export function isAtRest(before: Call, after: Call): boolean {
  if (after.phase.kind === "ended") return isConfirmed(after);
  return before.phase.kind === "connecting" && after.phase.kind === "connected";
}

/** Whether a live call's sockets are to be asked for a sign of life, which costs a request each. */
export function isSignNeeded(call: Call, now: number): boolean {
  return isLive(call) && now >= call.lastSignAt + BACKSTOP_MS;
}

/** Whether the calling device's object is to be asked if it has a socket again. */
export function isCallerAwaited(call: Call, now: number): boolean {
  return call.callerLostAt !== null && now >= call.callerLostAt + CALLER_GRACE_MS;
}

/** Nothing of an ended call is needed any more. */
export function isExpired(call: Call, now: number): boolean {
  return call.phase.kind === "ended" && isConfirmed(call) && now >= call.phase.at + OUTCOME_KEPT_MS;
}

/** The outcome has not reached the ledger in time and is to be told again. */
export function isLedgerOverdue(call: Call, now: number, ledgerRetryMs: number): boolean {
  return call.phase.kind === "ended" && !isConfirmed(call) && now >= call.ledger.toldAt + ledgerRetryMs;
}
