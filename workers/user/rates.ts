import * as z from "zod";
import { type Bucket, isFull, type Rate, take } from "./bucket.ts";

/** How often somebody may start a call: in all, and with the same person. */
export interface InitiationRates {
  readonly user: Rate;
  readonly pair: Rate;
}

export interface InitiationBuckets {
  readonly user: Bucket | null;
  /** By callee; only those that are not full. */
  readonly pairs: Readonly<Record<string, Bucket>>;
}

const Count = z.coerce.number().positive();

type Settings = Record<"INITIATION_BURST" | "INITIATION_PER_MINUTE" | "PAIR_BURST" | "PAIR_PER_MINUTE", string>;

/** @throws ZodError for a setting that is no positive number */
export function initiationRates(env: Settings): InitiationRates {
  return {
    user: { burst: Count.parse(env.INITIATION_BURST), perMinute: Count.parse(env.INITIATION_PER_MINUTE) },
    pair: { burst: Count.parse(env.PAIR_BURST), perMinute: Count.parse(env.PAIR_PER_MINUTE) },
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
  const kept = Object.entries(buckets.pairs).filter(([, bucket]) => !isFull(bucket, rates.pair, now));
  const pairs = Object.fromEntries([...kept, ...taken.map(([id, { bucket }]) => [id, bucket] as const)]);
  const waits = [user.retryAfterMs, ...taken.map(([, { retryAfterMs }]) => retryAfterMs)];
  return { buckets: { user: user.bucket, pairs }, retryAfterMs: Math.max(...waits) };
}
