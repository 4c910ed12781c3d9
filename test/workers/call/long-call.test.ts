import { expect, test } from "vitest";
import { MAX_LOG } from "../../../schema/limits.ts";
import { ledgerEvent } from "../../../workers/call/ledger-event.ts";
import { ADAS_PHONE, type CallScript, PHONE, script } from "./call-script.ts";

function toggling(played: CallScript, times: number): CallScript {
  for (let i = 0; i < times; i++) played.media(PHONE, i % 2 === 0 ? "recovering" : "connected");
  return played;
}

test("[LOG-2] a long call hands its log over piece by piece, and keeps only what is not confirmed", () => {
  const played = script().rung().answers(PHONE).media();
  const revs = new Set<number>();
  for (let round = 0; round < 10; round++) {
    const { due } = played.call.ledger;
    toggling(played, MAX_LOG);
    expect(played.call.ledger.due).toBeGreaterThan(due);
    for (const { rev } of ledgerEvent(played.call).log) revs.add(rev);
    played.event({ type: "ledger_confirmed", rev: played.call.ledger.due });
    expect(played.call.log.length).toBeLessThan(MAX_LOG);
  }
  const ended = ledgerEvent(played.hangsUp(ADAS_PHONE).call);
  for (const { rev } of ended.log) revs.add(rev);
  expect(revs.size).toBe(played.call.rev);
  expect(JSON.stringify(ended).length).toBeLessThan(100_000);
});

test("[LEDGER-2] while the ledger is away the end still fits a message of the queue, and says how it ended", () => {
  const ended = ledgerEvent(toggling(script().rung().answers(PHONE).media(), 1_500).hangsUp().call);
  expect(JSON.stringify(ended).length).toBeLessThan(128_000);
  expect(ended.log.at(-1)).toMatchObject({ kind: "ended", outcome: "completed" });
});
