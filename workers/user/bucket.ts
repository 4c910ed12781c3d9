/** A token bucket: how often something may be done at once, and over time. Pure. */
export interface Bucket {
  readonly tokens: number;
  /** Unix ms of the last filling. */
  readonly at: number;
}

export interface Rate {
  /** How often at once. */
  readonly burst: number;
  readonly perMinute: number;
}

/** @returns the bucket after taking one, or how many ms until there is one again */
export function take(bucket: Bucket | undefined, rate: Rate, now: number): { bucket: Bucket; retryAfterMs: number } {
  const filled = fill(bucket, rate, now);
  if (filled.tokens >= 1) return { bucket: { ...filled, tokens: filled.tokens - 1 }, retryAfterMs: 0 };
  return { bucket: filled, retryAfterMs: Math.ceil((1 - filled.tokens) / perMs(rate)) };
}

/** How often it may be done at once; at `burst` the bucket is full, and need not be remembered. */
export function tokensIn(bucket: Bucket, rate: Rate, now: number): number {
  return fill(bucket, rate, now).tokens;
}

function fill(bucket: Bucket | undefined, rate: Rate, now: number): Bucket {
  if (!bucket) return { tokens: rate.burst, at: now };
  const gained = Math.max(0, now - bucket.at) * perMs(rate);
  return { tokens: Math.min(rate.burst, bucket.tokens + gained), at: now };
}

function perMs({ perMinute }: Rate): number {
  return perMinute / 60_000;
}
