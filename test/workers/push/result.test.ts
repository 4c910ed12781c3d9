import { describe, expect, it } from "vitest";
import { RING_MS } from "../../../schema/limits.ts";
import type { Decision } from "../../../workers/push/plan.ts";
import { type Answer, type Sent, sentBy } from "../../../workers/push/provider.ts";
import { resultOf } from "../../../workers/push/result.ts";
import { NOW, RING_UNTIL, target } from "./views.ts";

const ring: Decision = { kind: "ring", target: target("fcm"), until: RING_UNTIL };
const notice: Decision = { kind: "notice", target: target("fcm"), notice: "missed_call", until: NOW + 60_000 };
const settled = { retrySeconds: null, isTokenDead: false, isUnreached: false };
const busy = (retryAfter: string | null = null): Sent => ({ kind: "busy", status: 503, retryAfter });
const tries = (decision: Decision, sent: Sent, attempts: number, now = NOW) =>
  resultOf(decision, sent, attempts, now).retrySeconds;

describe("what a provider's answer means", () => {
  it.each<[number | null, Sent["kind"]]>([
    [200, "accepted"],
    [201, "accepted"],
    [202, "accepted"],
    [301, "failed"],
    [400, "failed"],
    [403, "failed"],
    [413, "failed"],
    [429, "busy"],
    [500, "busy"],
    [503, "busy"],
    [null, "busy"],
  ])("%s: %s", (status, kind) => {
    const answer: Answer = { status, retryAfter: null };
    expect(sentBy(answer)).toMatchObject({ kind, status });
  });
});

describe("what follows from it", () => {
  it.each<[string, Sent, object]>([
    ["accepted", { kind: "accepted", status: 201 }, { result: "accepted", status: 201 }],
    ["dead", { kind: "dead", status: 410 }, { result: "dead", status: 410, isTokenDead: true, isUnreached: true }],
    ["refused", { kind: "failed", status: 400 }, { result: "failed", status: 400, isUnreached: true }],
    ["unconfigured", { kind: "unconfigured" }, { result: "failed", status: null, isUnreached: true }],
    ["busy", busy(), { result: "retried", status: 503, retrySeconds: 1 }],
  ])("[PUSH-5] a ring that is %s", (_title, sent, expected) => {
    expect(resultOf(ring, sent, 1, NOW)).toEqual({ ...settled, ...expected });
  });

  it("[PUSH-5] a notice reaches nobody less when it fails: only rings are waited for", () => {
    for (const sent of [{ kind: "unconfigured" }, { kind: "failed", status: 400 }] satisfies Sent[]) {
      expect(resultOf(notice, sent, 1, NOW).isUnreached).toBe(false);
    }
    expect(resultOf(notice, { kind: "dead", status: 410 }, 1, NOW)).toMatchObject({
      isTokenDead: true,
      isUnreached: false,
    });
  });
});

describe("[PUSH-5] where nobody relays", () => {
  const START = RING_UNTIL - RING_MS;
  const noRelay = (attempts: number, ms: number, decision: Decision = ring) =>
    resultOf(decision, { kind: "no_relay" }, attempts, START + ms);

  it("somebody may soon: the device is waited for as long as the next try comes in time", () => {
    expect(noRelay(1, 200)).toEqual({ ...settled, result: "retried", status: null, retrySeconds: 1 });
    expect(noRelay(2, 1_300)).toEqual({ ...settled, result: "retried", status: null, retrySeconds: 2 });
  });

  it("it is not waited for any longer, and tried all the same", () => {
    expect(noRelay(3, 3_400)).toEqual({
      ...settled,
      result: "retried",
      status: null,
      retrySeconds: 4,
      isUnreached: true,
    });
    expect(noRelay(3, 3_400, notice)).toMatchObject({ isUnreached: false });
  });

  it("it fails when the ring has no time for another try", () => {
    expect(noRelay(1, RING_MS - 3_000)).toEqual({ ...settled, result: "failed", status: null, isUnreached: true });
  });
});

describe("the next try", () => {
  it("[PUSH-5] comes later each time, as long as somebody could still answer", () => {
    expect([1, 2, 3, 4].map((attempts) => tries(ring, busy(), attempts))).toEqual([1, 2, 4, 8]);
    expect(tries(ring, busy(), 6)).toBeNull();
    expect(tries(ring, busy(), 1, RING_UNTIL - 4_000)).toBe(1);
    expect(tries(ring, busy(), 1, RING_UNTIL - 3_999)).toBeNull();
    expect(resultOf(ring, busy(), 6, NOW)).toEqual({ ...settled, result: "failed", status: 503, isUnreached: true });
  });

  it.each<[string, string | null, number | null]>([
    ["seconds", "7", 7],
    ["a date", new Date(NOW + 5_000).toUTCString(), 5],
    ["a date that has passed", new Date(NOW - 5_000).toUTCString(), 1],
    ["less than the back-off", "0", 1],
    ["nonsense", "soon", 1],
    ["longer than the ring", "120", null],
  ])("[PUSH-5] is when the provider says so: %s", (_title, retryAfter, expected) => {
    expect(tries(ring, busy(retryAfter), 1)).toBe(expected);
  });

  it("[PUSH-5] of a notice comes up to six times", () => {
    expect([1, 2, 6, 7].map((attempts) => tries(notice, busy(), attempts))).toEqual([1, 2, 32, null]);
    expect(tries(notice, busy("61"), 1)).toBeNull();
  });
});
