import type { PushEvent } from "../../schema/ledger.ts";
import { LATE_RING_MIN_MS, RING_MS, UNREACHABLE_MS } from "../../schema/limits.ts";
import type { Decision } from "./plan.ts";
import type { Sent } from "./provider.ts";

/** What follows from a provider's answer. Pure. */

export interface Result {
  readonly result: PushEvent["result"];
  readonly status: number | null;
  /** Until the next try; null for none. */
  readonly retrySeconds: number | null;
  readonly isTokenDead: boolean;
  /** The device will not ring by this push. */
  readonly isUnreached: boolean;
}

/** Longer is for outages that no ring outlasts. */
const MAX_BACKOFF_SECONDS = 60;
/** Tries of a notice: some two minutes of back-off. */
const NOTICE_TRIES = 7;

const SETTLED = { retrySeconds: null, isTokenDead: false, isUnreached: false };

/**
 * @param attempts tries so far, with this one
 * @param now Unix ms
 */
export function resultOf(decision: Decision, sent: Sent, attempts: number, now: number): Result {
  const isUnreached = decision.kind === "ring";
  switch (sent.kind) {
    case "accepted":
      return { ...SETTLED, result: "accepted", status: sent.status };
    case "dead":
      return { ...SETTLED, result: "dead", status: sent.status, isTokenDead: true, isUnreached };
    case "failed":
      return { ...SETTLED, result: "failed", status: sent.status, isUnreached };
    case "unconfigured":
      return { ...SETTLED, result: "failed", status: null, isUnreached };
    case "busy":
      return tried(decision, sent, nextTry(decision, sent.retryAfter, attempts, now));
    case "no_relay": {
      const retrySeconds = nextTry(decision, null, attempts, now);
      const after = tried(decision, { status: null }, retrySeconds);
      return retrySeconds !== null && isTooLong(decision, retrySeconds, now) ? { ...after, isUnreached } : after;
    }
  }
}

function tried(
  decision: Decision,
  { status }: { readonly status: number | null },
  retrySeconds: number | null,
): Result {
  if (retrySeconds !== null) return { ...SETTLED, result: "retried", status, retrySeconds };
  return { ...SETTLED, result: "failed", status, isUnreached: decision.kind === "ring" };
}

/**
 * A provider that is busy takes the next try, as a rule; where none can be asked at all, the caller is not to hear that
 * it rings beyond what nobody there may take.
 */
function isTooLong(decision: Decision, retrySeconds: number, now: number): boolean {
  return decision.kind === "ring" && now + retrySeconds * 1000 > decision.until - RING_MS + UNREACHABLE_MS;
}

export function expired(): Result {
  return { ...SETTLED, result: "expired", status: null };
}

/** @returns null when it would come too late */
function nextTry(decision: Decision, retryAfter: string | null, attempts: number, now: number): number | null {
  const seconds = Math.max(backoff(attempts), retryAfterSeconds(retryAfter, now));
  switch (decision.kind) {
    case "ring":
      return now + seconds * 1000 <= decision.until - LATE_RING_MIN_MS ? seconds : null;
    case "notice":
      return attempts < NOTICE_TRIES && seconds <= MAX_BACKOFF_SECONDS ? seconds : null;
    case "expired":
      return null;
  }
}

function backoff(attempts: number): number {
  return Math.min(MAX_BACKOFF_SECONDS, 2 ** (attempts - 1));
}

/** Seconds, or a date (RFC 9110, section 10.2.3); 0 for what is neither. */
function retryAfterSeconds(header: string | null, now: number): number {
  if (header === null) return 0;
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - now) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, Math.ceil(seconds)) : 0;
}
