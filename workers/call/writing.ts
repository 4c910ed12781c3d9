import type { Call } from "./state.ts";
import { without } from "./told.ts";

/** What is written of a call, and what is only remembered: each write is a row, and rows are most of a call's cost. Pure. */

/**
 * The row. Who is about to be told may be told of it before the next row, or not: if things then are again as that user
 * had heard before, an object that has lost its memory would tell them nothing.
 */
export function written(call: Call, isAboutToHear: (userId: string) => boolean): Call {
  return { ...call, heard: without(call.heard, Object.keys(call.heard).filter(isAboutToHear)) };
}

/** Every decision is written, and what nobody would say again to an object that has lost its memory. */
export function isCommit(before: Call, after: Call): boolean {
  if (after.rev !== before.rev || after.log !== before.log) return true;
  // Nothing is told to the ledger again.
  if (after.phase.kind === "ended") return isConfirmed(after) && !isConfirmed(before);
  return hasIdleAnew(before, after) || ringsLate(before, after);
}

export function isConfirmed(call: Call): boolean {
  return call.ledger.confirmed >= call.ledger.due;
}

/** Somebody in the call has an idle device, which comes only once. */
function hasIdleAnew(before: Call, after: Call): boolean {
  return after.participants.some((participant, i) => {
    const had = before.participants[i]?.hasIdleDevices ?? false;
    return participant.state === "joined" && participant.hasIdleDevices && !had;
  });
}

/**
 * A device that comes while its user is rung says so only once. Forgotten, it would not count when the others are
 * busy, and the call would end while it rings. A row for each device that comes within the ring and was not pushed:
 * none for most calls.
 */
function ringsLate(before: Call, after: Call): boolean {
  return after.participants.some(({ userId, legs }, i) => {
    const [was, is] = [before.heard[userId], after.heard[userId]];
    return is !== undefined && is === was && legs.length > (before.participants[i]?.legs.length ?? 0);
  });
}
