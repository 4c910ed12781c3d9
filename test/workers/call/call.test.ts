import { describe, expect, test } from "vitest";
import { BACKSTOP_MS, CONNECT_MS, OUTCOME_KEPT_MS, RING_MS, UNREACHABLE_MS } from "../../../schema/limits.ts";
import { mayGather } from "../../../workers/call/call.ts";
import { isExpired, nextDeadline } from "../../../workers/call/deadlines.ts";
import { ledgerEvent } from "../../../workers/call/ledger-event.ts";
import { peerOf } from "../../../workers/call/people.ts";
import { isCommit } from "../../../workers/call/writing.ts";
import {
  ADA,
  ADAS_PHONE,
  ADAS_TABLET,
  BOB,
  type CallScript,
  EVE,
  EVES_PHONE,
  LAPTOP,
  PHONE,
  script,
  T0,
  TABLET,
} from "./call-script.ts";

const RETRY_MS = 10_000;

interface Row {
  title: string;
  play: (call: CallScript) => CallScript;
  state: string;
  verdict?: string;
  reason?: string;
  outcome?: string;
}

const TABLE: Row[] = [
  { title: "[CALL-1] a new call reaches for the callee", play: (c) => c, state: "reaching" },
  { title: "[CALL-5] rung but not alerting is still reaching", play: (c) => c.rung(), state: "reaching" },
  { title: "[CALL-5] the first alerting makes it ring", play: (c) => c.rung().alerts(), state: "ringing" },
  { title: "[CALL-5] an alert that comes before the legs are known counts", play: (c) => c.alerts(), state: "ringing" },
  { title: "[CALL-7] an answer connects", play: (c) => c.rung().answers(), state: "connecting" },
  { title: "[CALL-7] an answer counts even before alerting", play: (c) => c.answers(), state: "connecting" },
  {
    title: "[CALL-9] a second answer comes too late",
    play: (c) => c.rung().answers(PHONE).answers(TABLET),
    state: "connecting",
    verdict: "already_answered",
  },
  {
    title: "[CALL-9] the winner's answer repeated is the same answer",
    play: (c) => c.rung().answers(PHONE).answers(PHONE),
    state: "connecting",
    verdict: "done",
  },
  {
    title: "[CALL-10] an answer after the end hears that it is over",
    play: (c) => c.rung().hangsUp().answers(),
    state: "ended",
    verdict: "over",
    outcome: "cancelled",
  },
  {
    title: "[CALL-10] a stranger hears what an unknown call says",
    play: (c) => c.rung().answers(EVES_PHONE),
    state: "reaching",
    verdict: "refused",
  },
  {
    title: "a caller cannot answer its own call",
    play: (c) => c.answers(ADAS_TABLET),
    state: "reaching",
    verdict: "refused",
  },
  {
    title: "[CALL-11] a decline ends it",
    play: (c) => c.rung().alerts().declines(),
    state: "ended",
    outcome: "declined",
    reason: "declined",
  },
  {
    title: "[HTTP-6] a decline by no particular device ends it as well",
    play: (c) => c.rung().alerts().declinesWhole(),
    state: "ended",
    outcome: "declined",
    reason: "declined",
  },
  {
    title: "[CALL-13] and does nothing after an answer",
    play: (c) => c.rung().answers(PHONE).declinesWhole(),
    state: "connecting",
    verdict: "done",
  },
  {
    title: "a caller does not decline its call",
    play: (c) => c.rung().declinesWhole(ADA),
    state: "reaching",
    verdict: "refused",
  },
  {
    title: "nor does a stranger",
    play: (c) => c.rung().declinesWhole(EVE),
    state: "reaching",
    verdict: "refused",
  },
  {
    title: "[CALL-12] ignoring keeps it ringing",
    play: (c) => c.rung().alerts().declines(PHONE, "ignored"),
    state: "ringing",
  },
  {
    title: "[CALL-12] one busy device is not a busy callee",
    play: (c) => c.rung().declines(PHONE, "busy"),
    state: "reaching",
  },
  {
    title: "[CALL-12] every device busy is",
    play: (c) => c.rung().declines(PHONE, "busy").declines(TABLET, "busy").declines(LAPTOP, "busy"),
    state: "ended",
    outcome: "busy",
    reason: "busy",
  },
  {
    title: "[CALL-12] a device that ignores does not keep a busy callee free",
    play: (c) => c.rung([PHONE, TABLET]).declines(PHONE, "ignored").declines(TABLET, "busy"),
    state: "ended",
    outcome: "busy",
  },
  {
    title: "[CALL-12] nobody is busy before it is known who was rung",
    play: (c) => c.declines(PHONE, "busy"),
    state: "reaching",
  },
  {
    title: "[CALL-12] a busy device that was alone is known when the others are",
    play: (c) => c.declines(PHONE, "busy").rung([PHONE]),
    state: "ended",
    outcome: "busy",
  },
  {
    title: "[CALL-13] a decline after an answer does nothing",
    play: (c) => c.rung().answers(PHONE).declines(TABLET),
    state: "connecting",
    verdict: "done",
  },
  {
    title: "[CALL-13] a decline after the end does nothing",
    play: (c) => c.rung().hangsUp().declines(),
    state: "ended",
    outcome: "cancelled",
  },
  {
    title: "[CALL-14] it still rings just before the limit",
    play: (c) =>
      c
        .rung()
        .alerts()
        .alarm(RING_MS - 1),
    state: "ringing",
  },
  {
    title: "[CALL-14] it is missed at the limit",
    play: (c) => c.rung().alarm(RING_MS),
    state: "ended",
    outcome: "missed",
    reason: "timed_out",
  },
  {
    title: "[CALL-15] the caller hangs up while it rings",
    play: (c) => c.rung().hangsUp(),
    state: "ended",
    outcome: "cancelled",
    reason: "caller_hung_up",
  },
  {
    title: "[CALL-15] only the calling device may cancel",
    play: (c) => c.rung().hangsUp(ADAS_TABLET),
    state: "reaching",
    verdict: "refused",
  },
  {
    title: "[CALL-15] a cancel that loses against an answer is a hang-up",
    play: (c) => c.rung().answers().hangsUp(),
    state: "ended",
    outcome: "completed",
    reason: "hung_up",
  },
  {
    title: "[CALL-16] media from either side connects",
    play: (c) => c.rung().answers().media(ADAS_PHONE),
    state: "connected",
  },
  {
    title: "[CALL-16] media that recovers",
    play: (c) => c.rung().answers().media().media(PHONE, "recovering"),
    state: "reconnecting",
  },
  {
    title: "[CALL-16] media that has recovered",
    play: (c) => c.rung().answers().media().media(PHONE, "recovering").media(ADAS_PHONE),
    state: "connected",
  },
  {
    title: "[CALL-16] media that failed ends it",
    play: (c) => c.rung().answers().media(PHONE, "failed"),
    state: "ended",
    outcome: "failed",
    reason: "media_failed",
  },
  {
    title: "[CALL-16] a device that is not in the call has no media",
    play: (c) => c.rung().answers(PHONE).media(TABLET),
    state: "connecting",
    verdict: "refused",
  },
  {
    title: "[CALL-17] no media in time",
    play: (c) => c.rung().answers().alarm(CONNECT_MS),
    state: "ended",
    outcome: "failed",
    reason: "media_timeout",
  },
  {
    title: "[CALL-17] media just in time",
    play: (c) => c.rung().answers().media().alarm(CONNECT_MS),
    state: "connected",
  },
  {
    title: "[CALL-18] a hang-up without media is completed all the same",
    play: (c) => c.rung().answers().hangsUp(PHONE),
    state: "ended",
    outcome: "completed",
  },
  {
    title: "[CALL-18] a device that lost the race cannot end the call of the winner",
    play: (c) => c.rung().answers(PHONE).hangsUp(TABLET),
    state: "connecting",
    verdict: "refused",
  },
  {
    title: "[CALL-18] hanging up twice is once",
    play: (c) => c.rung().answers().hangsUp().hangsUp(PHONE),
    state: "ended",
    verdict: "over",
    outcome: "completed",
  },
  {
    title: "[CALL-19] a call without a sign of life ends",
    play: (c) => c.rung().answers().media().alarm(BACKSTOP_MS),
    state: "ended",
    outcome: "completed",
    reason: "inactive",
  },
  {
    title: "[CALL-19] a sign of life keeps it",
    play: (c) =>
      c
        .rung()
        .answers()
        .media()
        .alarm(BACKSTOP_MS, T0 + BACKSTOP_MS - 1),
    state: "connected",
  },
  {
    title: "[CALL-6] nobody to ring, not yet over",
    play: (c) => c.rung([]).alarm(UNREACHABLE_MS - 1),
    state: "reaching",
  },
  {
    title: "[CALL-6] nobody to ring",
    play: (c) => c.rung([]).alarm(UNREACHABLE_MS),
    state: "ended",
    outcome: "unreachable",
    reason: "unreachable",
  },
  {
    title: "[CALL-6] a device that comes in time is rung",
    play: (c) => c.rung([]).rung([PHONE]).alarm(UNREACHABLE_MS),
    state: "reaching",
  },
];

describe("the transitions of a call", () => {
  test.each(TABLE)("$title", ({ play, state, verdict, outcome, reason }) => {
    const played = play(script());
    expect(played.view().state).toBe(state);
    if (verdict) expect(played.verdict.kind).toBe(verdict);
    const { phase } = played.call;
    expect(phase.kind === "ended" ? phase.outcome : undefined).toBe(outcome);
    if (reason) expect(phase).toMatchObject({ reason });
  });
});

describe("what is written", () => {
  test("[WIRE-7] what changes nothing has no new revision", () => {
    const { call } = script().rung().answers(PHONE);
    expect(script().rung().answers(PHONE).answers(TABLET).declines(LAPTOP).call.rev).toBe(call.rev);
  });

  /** Whether what `change` does to a call is written. */
  function isWritten(played: CallScript, change: () => unknown): boolean {
    const before = played.call;
    change();
    return isCommit(before, played.call);
  }

  test("[CALL-5] who was rung is remembered, the first alerting is written, another is remembered", () => {
    const played = script();
    expect(isWritten(played, () => played.rung())).toBe(false);
    expect(isWritten(played, () => played.alerts(PHONE))).toBe(true);
    expect(isWritten(played, () => played.alerts(TABLET))).toBe(false);
  });

  test("[CONN-5] [CALL-12] a device that rings late is written once; one that was rung and comes back is not", () => {
    const played = script().rung([PHONE]).alerts(PHONE);
    expect(isWritten(played, () => played.comes(TABLET))).toBe(true);
    expect(isWritten(played, () => played.comes(TABLET))).toBe(false);
    expect(isWritten(played, () => played.comes(PHONE))).toBe(false);
  });

  test("a callee is called what they say they are", () => {
    const { call } = script().says({ ...PHONE, name: "Bob" }, { type: "alerting" });
    expect(call.participants.map(({ name }) => name)).toEqual(["Ada", "Bob"]);
  });

  test("[LEDGER-2] the confirmation of the end is written", () => {
    const ended = script().rung().hangsUp();
    const before = ended.call;
    ended.event({ type: "ledger_confirmed", rev: before.ledger.due });
    expect(isCommit(before, ended.call)).toBe(true);
  });

  test("[CALL-18] an end without media still takes its time from the answer", () => {
    const { call } = script().rung().answers(PHONE, 3_000).hangsUp(ADAS_PHONE, 61_000);
    expect(ledgerEvent(call)).toMatchObject({ outcome: "completed", durationSeconds: 61, answeredBy: PHONE.deviceId });
  });

  test("[LEDGER-1] the ledger learns who was in the call, with which device", () => {
    const { call } = script().rung().answers(PHONE, 1_000).hangsUp(ADAS_PHONE, 5_000);
    expect(ledgerEvent(call).participants).toMatchObject([
      { userId: ADA, state: "left", deviceId: ADAS_PHONE.deviceId, devices: [{ deviceId: ADAS_PHONE.deviceId }] },
      { userId: BOB, state: "left", deviceId: PHONE.deviceId, devices: [{ deviceId: PHONE.deviceId }] },
    ]);
  });

  test("the callee of a missed call has missed it", () => {
    const { call } = script().rung().alarm(RING_MS);
    expect(ledgerEvent(call).participants[1]).toMatchObject({ state: "missed", deviceId: null, joinedAt: null });
  });
});

describe("when it wants to be woken", () => {
  const deadline = (played: CallScript) => nextDeadline(played.call, played.now, RETRY_MS) - T0;

  test.each([
    ["[CALL-17] while it rings, first when an instant answer would need media", script().rung(), CONNECT_MS],
    ["[CALL-14] then at the end of the ring", script().rung().alarm(CONNECT_MS), RING_MS],
    ["[CALL-6] early, if nobody can be rung", script().rung([]), UNREACHABLE_MS],
    ["[CALL-17] 15 s after the answer", script().rung().answers(PHONE, 4_000), 4_000 + CONNECT_MS],
    ["[CALL-19] 30 min after the last sign of life", script().rung().answers().media(), BACKSTOP_MS],
    [
      "[LEDGER-2] when the ledger should have confirmed the end",
      script().rung().hangsUp(ADAS_PHONE, 50),
      50 + RETRY_MS,
    ],
  ])("%s", (_title, played, after) => {
    expect(deadline(played)).toBe(after);
  });

  test("[CALL-10] an ended and confirmed call is kept for 24 h, then nothing of it", () => {
    const ended = script().rung().hangsUp();
    ended.event({ type: "ledger_confirmed", rev: ended.call.ledger.due });
    expect(deadline(ended)).toBe(OUTCOME_KEPT_MS);
    expect(isExpired(ended.call, T0 + OUTCOME_KEPT_MS - 1)).toBe(false);
    expect(isExpired(ended.call, T0 + OUTCOME_KEPT_MS)).toBe(true);
  });

  test("[LEDGER-2] an ended call that the ledger has not confirmed is never forgotten", () => {
    expect(isExpired(script().rung().hangsUp().call, T0 + 10 * OUTCOME_KEPT_MS)).toBe(false);
  });

  test("[CALL-8] a failed delivery is tried again soon", () => {
    expect(deadline(script().event({ type: "delivery_failed", userId: BOB }))).toBe(1_000);
  });
});

describe("whose media is whose", () => {
  test("[ICE-2] before the answer there is no peer, after it there are two", () => {
    const played = script().rung();
    expect(peerOf(played.call, ADAS_PHONE)).toBeNull();
    played.answers(PHONE);
    expect(peerOf(played.call, ADAS_PHONE)).toEqual(PHONE);
    expect(peerOf(played.call, PHONE)).toEqual(ADAS_PHONE);
    expect(peerOf(played.call, TABLET)).toBeNull();
  });

  test("[ICE-2] every callee device may gather before the answer, only the winner after it", () => {
    const played = script().rung();
    expect(mayGather(played.call, TABLET)).toBeNull();
    expect(mayGather(played.call, ADAS_TABLET)).toMatchObject({ code: "not_in_call" });
    expect(mayGather(played.call, EVES_PHONE)).toMatchObject({ code: "call_not_found" });
    expect(mayGather(played.answers(PHONE).call, TABLET)).toMatchObject({ code: "not_in_call" });
  });
});
