import { describe, expect, test } from "vitest";
import type { Call, CallPhase, HistoryEntry } from "../../client/index.ts";
import { endOf, extended, refreshed, withEnds } from "../../web/history.ts";

function entry(minute: number, outcome: HistoryEntry["outcome"] = "completed"): HistoryEntry {
  return {
    id: `call ${minute}`,
    callType: "audio",
    direction: "outgoing",
    outcome,
    initiatorId: "ada",
    createdAt: new Date(Date.UTC(2026, 0, 1, 12, minute)).toISOString(),
    connectedAt: null,
    endedAt: null,
    durationSeconds: null,
    answeredByDevice: null,
    participants: [],
  };
}

const ids = ({ calls }: { readonly calls: readonly HistoryEntry[] }) => calls.map(({ id }) => id);

describe("pages", () => {
  const before = extended(
    { calls: [entry(5), entry(4)], nextCursor: "after 4" },
    { calls: [entry(3), entry(2)], nextCursor: "after 2" },
  );

  test("[HIST-1] the next page follows on the last", () => {
    expect(ids(before)).toEqual(["call 5", "call 4", "call 3", "call 2"]);
    expect(before.nextCursor).toBe("after 2");
  });

  test("the first page is read again: new calls come, and what was paged to beyond it stays", () => {
    const after = refreshed(before, { calls: [entry(6), entry(5)], nextCursor: "after 5" });
    expect(ids(after)).toEqual(["call 6", "call 5", "call 4", "call 3", "call 2"]);
    expect(after.nextCursor).toBe("after 2");
  });

  test("[HIST-5] a call that was removed in another window is gone here too", () => {
    const after = refreshed(before, { calls: [entry(5), entry(3)], nextCursor: "after 3" });
    expect(ids(after)).toEqual(["call 5", "call 3", "call 2"]);
    expect(ids(refreshed(before, { calls: [entry(5)], nextCursor: null }))).toEqual(["call 5"]);
  });
});

describe("a call that has ended here, while the history takes it for live", () => {
  const call = (phase: CallPhase, id = "call 1"): Pick<Call, "id" | "phase" | "room"> => ({ id, phase, room: null });
  const cases: readonly [string, Extract<CallPhase, { kind: "ended" }>["ending"], ReturnType<typeof endOf>][] = [
    ["hung up after an answer", { kind: "hung_up", durationSeconds: 7 }, { outcome: "completed", durationSeconds: 7 }],
    ["given up", { kind: "hung_up", durationSeconds: null }, { outcome: "cancelled", durationSeconds: null }],
    [
      "over for both",
      { kind: "over", outcome: "busy", reason: "busy", durationSeconds: 0 },
      { outcome: "busy", durationSeconds: 0 },
    ],
    ["declined here", { kind: "declined" }, { outcome: "declined", durationSeconds: null }],
    [
      "declined on another device",
      { kind: "cancelled", reason: "declined_elsewhere", byDevice: null },
      { outcome: "declined", durationSeconds: null },
    ],
    [
      "rung out",
      { kind: "cancelled", reason: "timed_out", byDevice: null },
      { outcome: "missed", durationSeconds: null },
    ],
    [
      "given up by the caller",
      { kind: "cancelled", reason: "caller_hung_up", byDevice: null },
      { outcome: "cancelled", durationSeconds: null },
    ],
    ["answered on another device", { kind: "cancelled", reason: "answered_elsewhere", byDevice: null }, undefined],
    ["moved to another device", { kind: "cancelled", reason: "handed_off", byDevice: null }, undefined],
    ["silenced here", { kind: "ignored" }, undefined],
    ["not moved here", { kind: "not_moved" }, undefined],
  ];
  test.each(cases)("%s", (_, ending, end) => {
    expect(endOf(call({ kind: "ended", ending }))).toEqual(end);
  });

  test("the history has the last word once it has one", () => {
    const ended = { kind: "ended", ending: { kind: "hung_up", durationSeconds: 7 } } as const;
    const shown = withEnds([entry(2, "missed"), entry(1, null)], [call(ended, "call 2"), call(ended)]);
    expect(shown.map(({ outcome }) => outcome)).toEqual(["missed", "completed"]);
  });
});
