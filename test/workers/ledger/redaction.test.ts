import { describe, expect, it } from "vitest";
import type { LogEntry } from "../../../schema/call-log.ts";
import { ledgerEvent } from "../../../workers/call/ledger-event.ts";
import { outcomeOf } from "../../../workers/ledger/outcome.ts";
import { logFor } from "../../../workers/ledger/redaction.ts";
import {
  ADA,
  ADAS_PHONE,
  ADAS_TABLET,
  BOB,
  type CallScript,
  LAPTOP,
  PHONE,
  script,
  TABLET,
} from "../call/call-script.ts";
import { blocked, ENDINGS, silent, talking } from "./endings.ts";

/** What a participant is shown of a call that was played. */
function shown(userId: string, { call }: CallScript) {
  const outcome = ledgerEvent(call).participants.find((who) => who.userId === userId)?.outcome ?? null;
  return logFor({ userId, outcome }, call.log);
}

/** Everything that can happen between two people. */
function eventful(): CallScript {
  return script()
    .rung()
    .event({ type: "disconnected", device: ADAS_PHONE })
    .event({ type: "connected", device: ADAS_PHONE, mayRing: true }, 500)
    .alerts()
    .declines(TABLET, "ignored")
    .declines(LAPTOP, "busy")
    .answers(PHONE, 3_000)
    .media()
    .says(PHONE, { type: "hold", on: true })
    .takesOver(TABLET)
    .media(TABLET)
    .takesOver(LAPTOP)
    .media(LAPTOP, "failed")
    .takesOver(ADAS_TABLET)
    .media(ADAS_TABLET)
    .hangsUp(TABLET, 9_000);
}

const ADAS = [ADAS_PHONE, ADAS_TABLET];
const BOBS = [PHONE, TABLET, LAPTOP];

describe("what a participant is shown of a call", () => {
  it.each([
    { name: "the caller", asker: ADA, own: ADAS, others: BOBS },
    { name: "the callee", asker: BOB, own: BOBS, others: ADAS },
  ])("[LOG-3] holds each of their own devices, and none of the other's: $name", ({ asker, own, others }) => {
    const text = JSON.stringify(shown(asker, eventful()));
    for (const { deviceId } of own) expect(text).toContain(deviceId);
    for (const { deviceId } of others) expect(text).not.toContain(deviceId);
  });

  it("[LOG-3] says of what one of the other's devices did only that something was decided", () => {
    const kinds = (userId: string) => shown(userId, eventful()).map(({ kind }) => kind);
    const before = ["initiated", "caller_lost", "caller_back", "alerting"];
    expect(kinds(ADA).slice(0, 7)).toEqual([...before, "private", "private", "answered"]);
    expect(kinds(BOB).slice(0, 7)).toEqual([...before, "ignored", "busy", "answered"]);
    const hidden = shown(ADA, eventful()).filter(({ kind }) => kind === "private");
    for (const entry of hidden) expect(Object.keys(entry).sort()).toEqual(["at", "kind", "rev"]);
  });

  it("[LOG-3] keeps every revision, whose time and who acted", () => {
    const { log } = eventful().call;
    const named = (entries: readonly object[]) =>
      entries.map((entry) =>
        "by" in entry && entry.by instanceof Object && "userId" in entry.by ? entry.by.userId : null,
      );
    for (const userId of [ADA, BOB]) {
      const entries = shown(userId, eventful());
      expect(entries.map(({ rev, at }) => [rev, at])).toEqual(log.map(({ rev, at }) => [rev, at]));
      const isShown = (_: unknown, i: number) => entries[i]?.kind !== "private";
      expect(named(entries.filter(isShown))).toEqual(named(log.filter(isShown)));
    }
  });

  it.each(ENDINGS)("[LOG-5] is enough to know what the call came to when it is $title", ({ play, outcome }) => {
    const { call } = play();
    const own = ledgerEvent(call).participants.find(({ userId }) => userId === ADA)?.outcome ?? null;
    const result = outcomeOf(shown(ADA, play()));
    expect(result.outcome).toBe(own);
    const whole = outcomeOf(call.log);
    expect(result).toEqual({
      ...whole,
      outcome: outcome === "blocked" ? "missed" : outcome,
      answeredBy: whole.answeredBy && { userId: whole.answeredBy.userId },
    });
  });

  it("[LOG-6] is to a blocked caller, to the letter, that of a call that nobody heard", () => {
    const seen = shown(ADA, blocked());
    expect(seen).toEqual(shown(ADA, silent("silent").alarm(30_000)));
    expect(seen).toEqual(shown(ADA, script().pushed([PHONE]).alarm(30_000)));
    expect(seen.at(-1)).toMatchObject({ kind: "ended", outcome: "missed", reason: "timed_out", by: null });
    expect(JSON.stringify(seen)).not.toContain("blocked");
    expect(shown(BOB, blocked()).at(-1)).toMatchObject({ kind: "ended", outcome: "blocked" });
  });

  it("[LOG-6] is of a blocked call that was given up, as its callee's history has it", () => {
    const given = () => silent("blocked").hangsUp();
    expect(outcomeOf(shown(BOB, given())).outcome).toBe("blocked");
    expect(shown(ADA, given())).toEqual(shown(ADA, silent("silent").hangsUp()));
  });

  it("[LOG-6] says missed also to a caller of whom the history has not heard the end", () => {
    const ended: LogEntry | undefined = blocked().call.log.at(-1);
    if (!ended) throw new Error("the call is over");
    expect(logFor({ userId: ADA, outcome: null }, [ended])).toMatchObject([{ outcome: "missed" }]);
  });

  it("tells who moved the call, and of the mover's devices only to themselves", () => {
    const played = talking().takesOver(TABLET).media(TABLET);
    const moves = (userId: string) => shown(userId, played).filter(({ kind }) => kind.startsWith("hand"));
    expect(moves(BOB)).toMatchObject([
      { kind: "handoff_started", by: TABLET, fromDeviceId: PHONE.deviceId },
      { kind: "handed_off", by: TABLET, fromDeviceId: PHONE.deviceId },
    ]);
    expect(moves(ADA).map(({ rev, at, ...rest }) => rest)).toEqual([
      { kind: "handoff_started", by: { userId: BOB } },
      { kind: "handed_off", by: { userId: BOB } },
    ]);
  });
});
