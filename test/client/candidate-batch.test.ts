import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type CandidateBatch, CandidateBatcher } from "../../client/candidate-batch.ts";
import { MAX_CANDIDATES_FRAME } from "../../schema/limits.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function gathered() {
  const sent: string[] = [];
  const show = ({ candidates, endOfCandidates }: CandidateBatch) =>
    sent.push(`${candidates.map(({ candidate }) => candidate).join()}${endOfCandidates ? "." : ""}`);
  return { sent, batcher: new CandidateBatcher(show) };
}

test("candidates of a tenth of a second travel together", () => {
  const { sent, batcher } = gathered();
  batcher.release();
  batcher.add({ candidate: "a" });
  vi.advanceTimersByTime(99);
  batcher.add({ candidate: "b" });
  expect(sent).toEqual([]);
  vi.advanceTimersByTime(1);
  batcher.add({ candidate: "c" });
  batcher.add(null);
  vi.advanceTimersByTime(100);
  expect(sent).toEqual(["a,b", "c."]);
});

test("before the call has an id they are kept, and then go at once", () => {
  const { sent, batcher } = gathered();
  batcher.add({ candidate: "a" });
  batcher.add(null);
  vi.advanceTimersByTime(60_000);
  expect(sent).toEqual([]);
  batcher.release();
  expect(sent).toEqual(["a."]);
});

test("the end of one generation is said once, and a restart gathers anew", () => {
  const { sent, batcher } = gathered();
  batcher.release();
  batcher.add(null);
  vi.advanceTimersByTime(100);
  batcher.add({ candidate: "again" });
  vi.advanceTimersByTime(100);
  expect(sent).toEqual([".", "again"]);
});

test("no message holds more than the wire takes", () => {
  const { sent, batcher } = gathered();
  for (let i = 0; i < 70; i++) batcher.add({ candidate: String(i) });
  batcher.add(null);
  batcher.release();
  expect(sent.map((batch) => batch.split(",").length)).toEqual([64, 6]);
  expect(sent.map((batch) => batch.endsWith("."))).toEqual([false, true]);
});

test("after the call nothing is sent", () => {
  const { sent, batcher } = gathered();
  batcher.release();
  batcher.add({ candidate: "a" });
  batcher.close();
  vi.advanceTimersByTime(1_000);
  expect(sent).toEqual([]);
});

test("[ICE-1] no message is larger than the wire takes", () => {
  const sizes: number[] = [];
  const batcher = new CandidateBatcher((batch) => sizes.push(JSON.stringify(batch).length));
  const candidate = "candidate".padEnd(1_000, "x");
  for (let i = 0; i < 64; i++) batcher.add({ candidate, sdpMid: "0" });
  batcher.release();
  expect(sizes.length).toBeGreaterThan(8);
  expect(Math.max(...sizes)).toBeLessThan(MAX_CANDIDATES_FRAME - 200);
});
