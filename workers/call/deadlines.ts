import { BACKSTOP_MS, CONNECT_MS, OUTCOME_KEPT_MS, UNREACHABLE_MS } from "../../schema/limits.ts";
import { isConfirmed } from "./call.ts";
import { nobodyRings } from "./people.ts";
import type { Call } from "./state.ts";

/** When a call wants to be woken, and what is due then. Pure. */

/**
 * When the machine next wants to be woken, in Unix ms.
 * While it rings that is first the moment at which an immediate answer would have to have media: an
 * answered call then needs no alarm of its own, which saves a row for most calls.
 * @param ledgerRetryMs how long the ledger may take to confirm
 */
export function nextDeadline(call: Call, now: number, ledgerRetryMs: number): number {
  const deadline = phaseDeadline(call, now, ledgerRetryMs);
  return call.redeliverAt === null ? deadline : Math.min(deadline, call.redeliverAt);
}

function phaseDeadline(call: Call, now: number, ledgerRetryMs: number): number {
  const { phase } = call;
  switch (phase.kind) {
    case "ringing": {
      if (nobodyRings(call)) return call.createdAt + UNREACHABLE_MS;
      const look = call.createdAt + CONNECT_MS;
      return now < look ? look : phase.until;
    }
    case "connecting":
      return phase.until;
    case "connected":
    case "reconnecting":
      return call.lastSignAt + BACKSTOP_MS;
    case "ended":
      return isConfirmed(call) ? phase.at + OUTCOME_KEPT_MS : call.ledger.toldAt + ledgerRetryMs;
  }
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
  const isLive = call.phase.kind === "connected" || call.phase.kind === "reconnecting";
  return isLive && now >= call.lastSignAt + BACKSTOP_MS;
}

/** Nothing of an ended call is needed any more. */
export function isExpired(call: Call, now: number): boolean {
  return call.phase.kind === "ended" && isConfirmed(call) && now >= call.phase.at + OUTCOME_KEPT_MS;
}

/** The outcome has not reached the ledger in time and is to be told again. */
export function isLedgerOverdue(call: Call, now: number, ledgerRetryMs: number): boolean {
  return call.phase.kind === "ended" && !isConfirmed(call) && now >= call.ledger.toldAt + ledgerRetryMs;
}
