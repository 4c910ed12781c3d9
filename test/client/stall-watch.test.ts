import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Finding, look, NO_FLOW, StallWatch } from "../../client/stall-watch.ts";

/** What is found at each look, of so many packets received by then. */
function found(counts: readonly number[], patience = 2): Finding[] {
  let flow = NO_FLOW;
  return counts.map((received) => {
    const next = look(flow, received, patience);
    flow = next.flow;
    return next.finding;
  });
}

describe("[RES-5] of a path that carries packets steadily", () => {
  test.each<[string, readonly number[], readonly Finding[]]>([
    [
      "the first silence is a doubt, the second a stall, told once",
      [1, 2, 3, 3, 3, 3],
      [null, null, null, "doubt", "stall", null],
    ],
    ["a packet takes the doubt back", [1, 2, 3, 3, 4, 4], [null, null, null, "doubt", "flow", "doubt"]],
    ["what never flowed does not stall", [0, 0, 0, 0], [null, null, null, null]],
    ["what came now and then does not stall", [1, 1, 2, 2, 2, 2], [null, null, "flow", null, null, null]],
    [
      "it may stall again once it has flowed again",
      [1, 2, 3, 3, 3, 4, 5, 6, 6, 6],
      [null, null, null, "doubt", "stall", "flow", null, null, "doubt", "stall"],
    ],
  ])("%s", (_what, counts, findings) => {
    expect(found(counts)).toEqual(findings);
  });

  test("the polite side leaves the other one a second to be first", () => {
    expect(found([1, 2, 3, 3, 3, 3], 3)).toEqual([null, null, null, "doubt", "doubt", "stall"]);
  });
});

describe("the watch", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function watched() {
    const path = { received: 0, isFlowing: true, isExpected: true, isOpen: true, told: [] as string[] };
    const sample = async () => {
      if (!path.isOpen) throw new DOMException("closed", "InvalidStateError");
      if (path.isFlowing) path.received += 50;
      return { received: path.received };
    };
    const watch = new StallWatch({
      sample,
      isPolite: false,
      isExpected: () => path.isExpected,
      doubted: () => path.told.push("doubt"),
      stalled: () => path.told.push("stall"),
      flows: () => path.told.push("flow"),
    });
    watch.start();
    return { path, watch };
  }

  const seconds = (count: number) => vi.advanceTimersByTimeAsync(1_000 * count);

  test("tells of a stall within two seconds, and nothing of a hold", async () => {
    const { path } = watched();
    await seconds(5);
    path.isExpected = false;
    path.isFlowing = false;
    await seconds(60);
    expect(path.told).toEqual([]);
    path.isExpected = true;
    path.isFlowing = true;
    await seconds(5);
    path.isFlowing = false;
    await seconds(2);
    expect(path.told).toEqual(["doubt", "stall"]);
  });

  test("counts anew when the other side renews the path", async () => {
    const { path, watch } = watched();
    await seconds(5);
    path.isFlowing = false;
    await seconds(1);
    watch.wait();
    await seconds(1);
    expect(path.told).toEqual(["doubt", "flow", "doubt"]);
  });

  test("takes a doubt back when a hold begins", async () => {
    const { path } = watched();
    await seconds(5);
    path.isFlowing = false;
    await seconds(1);
    path.isExpected = false;
    await seconds(60);
    expect(path.told).toEqual(["doubt", "flow"]);
  });

  test("looks no longer once it is stopped, and outlives a connection that was closed", async () => {
    const { path, watch } = watched();
    await seconds(5);
    path.isOpen = false;
    await seconds(5);
    watch.stop();
    expect(vi.getTimerCount()).toBe(0);
    expect(path.told).toEqual([]);
  });
});
