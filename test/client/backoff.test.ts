import fc from "fast-check";
import { expect, test } from "vitest";
import { nextRetryDelayMs } from "../../client/backoff.ts";

test("the delay is spread over the whole interval, which doubles", () => {
  expect([0, 1, 2, 3, 4, 5, 6].map((attempt) => nextRetryDelayMs(attempt, 0.5))).toEqual([
    125, 250, 500, 1000, 2000, 2500, 2500,
  ]);
  expect(nextRetryDelayMs(3, 0)).toBe(0);
  expect(nextRetryDelayMs(3, 0.9999)).toBe(1999);
});

test("no delay reaches 5 s, however long the server is away", () => {
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(fc.nat(2_000), random, (attempt, at) => {
      const delay = nextRetryDelayMs(attempt, at);
      return delay >= 0 && delay < 5_000;
    }),
  );
});
