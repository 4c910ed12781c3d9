import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FLOOD_RATE, FLOOD_SECONDS } from "../../../schema/limits.ts";
import { counted, isFlood, type Window } from "../../../workers/flood.ts";
import { type Bucket, take } from "../../../workers/user/bucket.ts";
import { countInitiation, type InitiationBuckets } from "../../../workers/user/rates.ts";

const SEED = 20_261_123;
const T0 = 1_700_000_000_000;
const RATE = { burst: 20, perMinute: 30 };

describe("a token bucket", () => {
  test("[SAFE-3] lets 20 at once through, then one every two seconds", () => {
    let bucket: Bucket | undefined;
    const taken = (now: number) => {
      const next = take(bucket, RATE, now);
      bucket = next.bucket;
      return next.retryAfterMs;
    };
    expect(Array.from({ length: 20 }, () => taken(T0))).toEqual(Array(20).fill(0));
    expect(taken(T0)).toBe(2_000);
    expect(taken(T0 + 1_999)).toBe(1);
    expect(taken(T0 + 2_000)).toBe(0);
    expect(taken(T0 + 2_000)).toBe(2_000);
  });

  test("[SAFE-3] never lets more through than the burst and what time has brought, and what it says is when", () => {
    const waits = fc.array(fc.integer({ min: 0, max: 5_000 }), { maxLength: 200 });
    fc.assert(
      fc.property(waits, (gaps) => {
        let [bucket, now, passed]: [Bucket | undefined, number, number] = [undefined, T0, 0];
        for (const gap of gaps) {
          now += gap;
          const next = take(bucket, RATE, now);
          bucket = next.bucket;
          if (next.retryAfterMs === 0) passed++;
          else expect(take(bucket, RATE, now + next.retryAfterMs).retryAfterMs).toBe(0);
          expect(passed).toBeLessThanOrEqual(RATE.burst + ((now - T0) / 60_000) * RATE.perMinute + 1e-6);
        }
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  test("[SAFE-3] counts by pair too, and forgets pairs that are as good as new", () => {
    const rates = { user: { burst: 100, perMinute: 100 }, pair: { burst: 1, perMinute: 60 } };
    let buckets: InitiationBuckets = { user: null, pairs: {} };
    const call = (callee: string, now: number) => {
      const next = countInitiation(buckets, [callee], rates, now);
      buckets = next.buckets;
      return next.retryAfterMs;
    };
    expect([call("bob", T0), call("bob", T0), call("cid", T0)]).toEqual([0, 1_000, 0]);
    expect(call("dan", T0 + 1_000)).toBe(0);
    expect(Object.keys(buckets.pairs)).toEqual(["dan"]);
  });
});

describe("a flood", () => {
  function play(perSecond: readonly number[]): Window | undefined {
    let window: Window | undefined;
    perSecond.forEach((messages, second) => {
      for (let i = 0; i < messages; i++) window = counted(window, T0 + (second + i / messages) * 1_000);
    });
    return window;
  }

  test.each<[string, number[], boolean]>([
    ["over the rate for three seconds", Array(FLOOD_SECONDS).fill(FLOOD_RATE + 1), true],
    ["at the rate for ever", Array(30).fill(FLOOD_RATE), false],
    ["over it for two seconds", Array(FLOOD_SECONDS - 1).fill(5 * FLOOD_RATE), false],
    ["over it with a pause", [500, 500, 0, 500, 500], false],
    ["over it with a slow second in between", [500, 500, 50, 500, 500], false],
    ["one large burst", [5_000], false],
  ])("[SAFE-4] %s", (_title, perSecond, expected) => {
    const window = play(perSecond);
    expect(window !== undefined && isFlood(window)).toBe(expected);
  });
});
