import { expect, test } from "vitest";
import { admitRestart } from "../../client/restarts.ts";

/** When ICE was restarted, of all the times in ms at which somebody wanted to. */
function admitted(wanted: readonly number[]): readonly number[] {
  return wanted.filter((now, i) => {
    const past = wanted.slice(0, i).reduce<readonly number[]>((times, at) => admitRestart(times, at) ?? times, []);
    return admitRestart(past, now) !== null;
  });
}

test.each([
  ["five are restarted", [0, 1, 2, 3, 4], [0, 1, 2, 3, 4]],
  ["a sixth within the minute is not", [0, 1, 2, 3, 4, 59_999], [0, 1, 2, 3, 4]],
  [
    "a minute after the first there may be one more, and only one",
    [0, 9, 9, 9, 9, 60_000, 60_001],
    [0, 9, 9, 9, 9, 60_000],
  ],
  ["those that were refused do not count", [0, 1, 2, 3, 4, 5, 6, 7, 60_000], [0, 1, 2, 3, 4, 60_000]],
])("[RES-5] of a path that breaks again and again, %s", (_what, wanted, expected) => {
  expect(admitted(wanted)).toEqual(expected);
});
