import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FLOOD_RATE, FLOOD_SECONDS } from "../../../schema/limits.ts";
import { counted, isFlood, type Window } from "../../../workers/flood.ts";
import { type Bucket, take } from "../../../workers/user/bucket.ts";
import { countInitiation, type InitiationBuckets, initiationRates, MAX_PAIRS } from "../../../workers/user/rates.ts";

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

describe("pairs", () => {
  const attempts = fc.array(
    fc.record({
      gap: fc.integer({ min: 0, max: 3_000 }),
      callees: fc.uniqueArray(fc.integer({ min: 0, max: 2_000 }), { minLength: 1, maxLength: 31 }),
    }),
    { maxLength: 120 },
  );

  test("[SAFE-3] are remembered for a while, and never too many of them", () => {
    const rates = { user: { burst: 100, perMinute: 600 }, pair: { burst: 2, perMinute: 4 } };
    fc.assert(
      fc.property(attempts, (all) => {
        let [buckets, now]: [InitiationBuckets, number] = [{ user: null, pairs: {} }, T0];
        for (const { gap, callees } of all) {
          now += gap;
          const next = countInitiation(buckets, callees.map(String), rates, now);
          buckets = next.buckets;
          expect(Object.keys(buckets.pairs).length).toBeLessThanOrEqual(MAX_PAIRS);
        }
        const later = countInitiation(buckets, ["somebody"], rates, now + 60_000);
        expect([later.retryAfterMs, Object.keys(later.buckets.pairs)]).toEqual([0, ["somebody"]]);
      }),
      { seed: SEED, numRuns: 200 },
    );
  });

  test("[SAFE-3] one that is used up is not forgotten for the sake of many others", () => {
    const rates = { user: { burst: 1_000, perMinute: 1 }, pair: { burst: 2, perMinute: 1 } };
    const others = Array.from({ length: 2 * MAX_PAIRS }, (_, i) => `other-${i}`);
    let buckets: InitiationBuckets = { user: null, pairs: {} };
    for (const callee of ["bob", "bob", ...others]) buckets = countInitiation(buckets, [callee], rates, T0).buckets;
    expect(countInitiation(buckets, ["bob"], rates, T0).retryAfterMs).toBe(60_000);
  });

  test("[SAFE-3] what the user's limit refuses leaves no trace of its callees, and says the longest wait", () => {
    const rates = { user: { burst: 2, perMinute: 60 }, pair: { burst: 2, perMinute: 1 } };
    let buckets: InitiationBuckets = { user: null, pairs: {} };
    for (let i = 0; i < 2; i++) buckets = countInitiation(buckets, ["bob"], rates, T0).buckets;
    const refused = countInitiation(buckets, ["bob", "cid", "dan"], rates, T0);
    expect(refused).toMatchObject({ retryAfterMs: 60_000, buckets: { pairs: buckets.pairs } });
    expect(Object.keys(refused.buckets.pairs)).toEqual(["bob"]);
  });
});

describe("the limits' settings", () => {
  const env = { INITIATION_BURST: "20", INITIATION_PER_MINUTE: "30", PAIR_BURST: "5", PAIR_PER_MINUTE: "10" };

  test("are read as numbers", () => {
    const rates = { user: { burst: 20, perMinute: 30 }, pair: { burst: 5, perMinute: 10 } };
    expect(initiationRates(env)).toEqual(rates);
  });

  test.each(["", "0", "0.5", "-1", "many"])("a burst of %j is refused", (burst) => {
    expect(() => initiationRates({ ...env, PAIR_BURST: burst })).toThrow();
  });

  test.each(["", "0", "-1", "many"])("%j a minute is refused", (perMinute) => {
    expect(() => initiationRates({ ...env, INITIATION_PER_MINUTE: perMinute })).toThrow();
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
