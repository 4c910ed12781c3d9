import { expect, test } from "vitest";
import type { Ending, HistoryEntry } from "../../client/index.ts";
import { ErrorCode } from "../../schema/errors.ts";
import {
  clock,
  duration,
  endingText,
  errorText,
  historyText,
  initials,
  isMissed,
  lastSeenText,
  moment,
} from "../../web/text.ts";

const outgoing = { direction: "outgoing", person: { userId: "", name: "Bob" } } as const;
const incoming = { ...outgoing, direction: "incoming" } as const;

test.each([
  [{ kind: "over", outcome: "completed", reason: "hung_up", durationSeconds: 42 }, outgoing, "Call ended after 42 s"],
  [{ kind: "hung_up", durationSeconds: 61 }, outgoing, "Call ended after 1 min 1 s"],
  [{ kind: "hung_up", durationSeconds: null }, outgoing, "Call cancelled"],
  [{ kind: "over", outcome: "missed", reason: "timed_out", durationSeconds: 0 }, outgoing, "Bob did not answer"],
  [{ kind: "over", outcome: "blocked", reason: "timed_out", durationSeconds: 0 }, outgoing, "Bob did not answer"],
  [{ kind: "over", outcome: "missed", reason: "timed_out", durationSeconds: 0 }, incoming, "Missed call from Bob"],
  [{ kind: "over", outcome: "declined", reason: "declined", durationSeconds: 0 }, outgoing, "Bob declined"],
  [{ kind: "over", outcome: "busy", reason: "busy", durationSeconds: 0 }, outgoing, "Bob is busy"],
  [
    { kind: "over", outcome: "unreachable", reason: "unreachable", durationSeconds: 0 },
    outgoing,
    "Bob cannot be reached right now",
  ],
  [
    { kind: "over", outcome: "failed", reason: "media_timeout", durationSeconds: 0 },
    outgoing,
    "The call could not be connected",
  ],
  [
    { kind: "over", outcome: "failed", reason: "media_failed", durationSeconds: 9 },
    outgoing,
    "The connection was lost",
  ],
  [{ kind: "cancelled", reason: "answered_elsewhere", byDevice: null }, incoming, "Answered on another device"],
  [{ kind: "cancelled", reason: "caller_hung_up", byDevice: null }, incoming, "Missed call from Bob"],
  [{ kind: "ignored" }, incoming, null],
  [{ kind: "not_moved" }, incoming, "The call could not be moved and goes on where it was"],
  [
    { kind: "failed", code: "microphone_missing" },
    outgoing,
    "We could not find a microphone. Plug one in and try again.",
  ],
] satisfies [Ending, typeof outgoing | typeof incoming, string | null][])("%o for the %o: %s", (ending, call, text) => {
  expect(endingText(ending, call)).toBe(text);
});

test("every refusal of the server has a sentence without jargon", () => {
  for (const code of ErrorCode.options) {
    expect(errorText(code)).toMatch(/^[A-Z].*\.$/);
    expect(errorText(code)).not.toContain("_");
  }
});

const entry = (change: Partial<HistoryEntry>): HistoryEntry => ({
  id: "0192a000-0000-7000-8000-000000000001",
  callType: "video",
  direction: "incoming",
  outcome: "completed",
  initiatorId: "a0000000-0000-4000-8000-000000000001",
  createdAt: "2026-01-01T00:00:00.000Z",
  connectedAt: null,
  endedAt: null,
  durationSeconds: 125,
  answeredByDevice: null,
  participants: [],
  ...change,
});

test.each([
  [{}, "Incoming, 2 min 5 s", false],
  [{ direction: "outgoing" }, "Outgoing, 2 min 5 s", false],
  [{ outcome: null }, "Incoming, in progress", false],
  [{ outcome: "missed" }, "Missed", true],
  [{ outcome: "cancelled" }, "Missed", true],
  [{ outcome: "unreachable" }, "Missed", true],
  [{ outcome: "declined" }, "You declined", false],
  [{ outcome: "missed", direction: "outgoing" }, "No answer", false],
  [{ outcome: "cancelled", direction: "outgoing" }, "Cancelled", false],
] satisfies [Partial<HistoryEntry>, string, boolean][])("%o is %s", (change, text, missed) => {
  expect(historyText(entry(change))).toBe(text);
  expect(isMissed(entry(change))).toBe(missed);
});

test("durations and clocks", () => {
  expect([0, 59, 60, 3_599, 3_600, 7_325].map(duration)).toEqual([
    "0 s",
    "59 s",
    "1 min",
    "59 min 59 s",
    "1 h 0 min",
    "2 h 2 min",
  ]);
  expect([0, 9, 75, 3_600, 36_061].map(clock)).toEqual(["0:00", "0:09", "1:15", "1:00:00", "10:01:01"]);
});

test("a moment is said as shortly as it is clear", () => {
  const now = new Date(2026, 5, 17, 12, 0).getTime();
  const at = (...args: [number, number, number, number]) => moment(new Date(...args).toISOString(), now, "en-GB");
  expect(at(2026, 5, 17, 8)).toBe("8:00");
  expect(at(2026, 5, 16, 23)).toBe("Yesterday");
  expect(at(2026, 5, 14, 9)).toBe("Sunday");
  expect(at(2026, 4, 2, 9)).toBe("2 May");
  expect(at(2024, 4, 2, 9)).toBe("2 May 2024");
});

test("initials are of the first and the last word, whatever the script", () => {
  expect(["Ada", "Ada King Lovelace", "  bob  ", "李 小龙", "🦊 Fox"].map(initials)).toEqual([
    "A",
    "AL",
    "B",
    "李小",
    "🦊F",
  ]);
});

test("when somebody was last here", () => {
  const now = Date.parse("2026-06-17T12:00:00Z");
  expect(lastSeenText(null, now)).toBe("Not here yet");
  expect(lastSeenText("2026-06-17T11:59:30Z", now)).toBe("Here a moment ago");
  expect(lastSeenText("2026-06-17T11:20:00Z", now)).toBe("Here 40 min ago");
  expect(lastSeenText("2026-06-15T11:20:00Z", now)).toBe("Last here Monday");
});
