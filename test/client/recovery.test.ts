import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Recovery } from "../../client/recovery.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function watch(isPolite: boolean) {
  const done: string[] = [];
  const start = Date.now();
  const note = (what: string) => () => void done.push(`${what} at ${(Date.now() - start) / 1000} s`);
  const recovery = new Recovery(isPolite, { restart: note("restart"), gaveUp: note("gave up") });
  return { recovery, done };
}

describe("a path that worked and breaks", () => {
  test.each([
    [
      false,
      [
        "restart at 1.5 s",
        "restart at 7.5 s",
        "restart at 13.5 s",
        "restart at 19.5 s",
        "restart at 25.5 s",
        "gave up at 30 s",
      ],
    ],
    [
      true,
      ["restart at 4 s", "restart at 10 s", "restart at 16 s", "restart at 22 s", "restart at 28 s", "gave up at 30 s"],
    ],
  ])("is renewed until it works or 30 s have passed (polite: %s)", (isPolite, expected) => {
    const { recovery, done } = watch(isPolite);
    recovery.changed("connected");
    recovery.changed("disconnected");
    vi.advanceTimersByTime(120_000);
    expect(done).toEqual(expected);
  });

  test("heals by itself: nothing is done", () => {
    const { recovery, done } = watch(false);
    recovery.changed("connected");
    recovery.changed("disconnected");
    vi.advanceTimersByTime(1_400);
    recovery.changed("connected");
    vi.advanceTimersByTime(120_000);
    expect(done).toEqual([]);
  });

  test("is given up 30 s after it broke, however often its state changes meanwhile", () => {
    const { recovery, done } = watch(false);
    recovery.changed("connected");
    recovery.changed("disconnected");
    vi.advanceTimersByTime(20_000);
    recovery.changed("failed");
    vi.advanceTimersByTime(10_000);
    expect(done.at(-1)).toBe("gave up at 30 s");
  });
});

test("a path that never worked is tried at once and again, and ended by the server alone", () => {
  const { recovery, done } = watch(true);
  recovery.changed("connecting");
  recovery.changed("failed");
  vi.advanceTimersByTime(13_000);
  expect(done).toEqual(["restart at 0 s", "restart at 6 s", "restart at 12 s"]);
  vi.advanceTimersByTime(60_000);
  expect(done.some((what) => what.startsWith("gave up"))).toBe(false);
});

test("after the call nothing is done", () => {
  const { recovery, done } = watch(false);
  recovery.changed("connected");
  recovery.changed("failed");
  recovery.stop();
  vi.advanceTimersByTime(120_000);
  expect(done).toEqual([]);
});
