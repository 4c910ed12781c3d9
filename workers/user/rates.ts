import * as z from "zod";
import { type Bucket, type Rate, take, tokensIn } from "./bucket.ts";

/** How often somebody may start a call: in all, and with the same person. */
export interface InitiationRates {
  readonly user: Rate;
  readonly pair: Rate;
}

export interface InitiationBuckets {
  readonly user: Bucket | null;
  /** By callee; only those that are not full, and at most `MAX_PAIRS`. */
  readonly pairs: Readonly<Record<string, Bucket>>;
}

/** They stand in the user's row, about 80 bytes each, and every initiation writes it. */
export const MAX_PAIRS = 256;

/** Below 1 there would never be a token to take. */
const Burst = z.coerce.number().min(1);
const PerMinute = z.coerce.number().positive();

type Settings = Record<"INITIATION_BURST" | "INITIATION_PER_MINUTE" | "PAIR_BURST" | "PAIR_PER_MINUTE", string>;

/**
 * Of one person much less is asked for than of all: nobody redials more than a few times, and a ring lasts 30 s, so
 * what comes more often only molests. A pair that may do all that its user may would hold nobody back.
 * @throws ZodError for a setting that is no such number
 */
export function initiationRates(env: Settings): InitiationRates {
  return {
    user: { burst: Burst.parse(env.INITIATION_BURST), perMinute: PerMinute.parse(env.INITIATION_PER_MINUTE) },
    pair: { burst: Burst.parse(env.PAIR_BURST), perMinute: PerMinute.parse(env.PAIR_PER_MINUTE) },
  };
}

/** Counts one attempt, whatever becomes of it. @returns 0, or how many ms until it may be tried again. Pure. */
export function countInitiation(
  buckets: InitiationBuckets,
  calleeIds: readonly string[],
  rates: InitiationRates,
  now: number,
): { buckets: InitiationBuckets; retryAfterMs: number } {
  const user = take(buckets.user ?? undefined, rates.user, now);
  const taken = calleeIds.map((id) => [id, take(buckets.pairs[id], rates.pair, now)] as const);
  const retryAfterMs = Math.max(user.retryAfterMs, ...taken.map(([, pair]) => pair.retryAfterMs));
  // Beyond the user's limit no pair is taken from: a flood of callees who are never rung would fill the row.
  if (user.retryAfterMs > 0) return { buckets: { ...buckets, user: user.bucket }, retryAfterMs };
  const pairs = { ...buckets.pairs, ...Object.fromEntries(taken.map(([id, { bucket }]) => [id, bucket])) };
  return { buckets: { user: user.bucket, pairs: remembered(pairs, rates.pair, now) }, retryAfterMs };
}

/** Without those that are as good as new. Too many: the fullest are forgotten, they hold back least. */
function remembered(pairs: InitiationBuckets["pairs"], rate: Rate, now: number): InitiationBuckets["pairs"] {
  const entries = Object.entries(pairs).map(([id, bucket]) => ({ id, bucket, tokens: tokensIn(bucket, rate, now) }));
  const used = entries.filter(({ tokens }) => tokens < rate.burst).sort((a, b) => a.tokens - b.tokens);
  return Object.fromEntries(used.slice(0, MAX_PAIRS).map(({ id, bucket }) => [id, bucket]));
}
