import { expect, test } from "vitest";
import { CANDIDATE_KEPT_MS, MAX_CANDIDATES } from "../../../schema/limits.ts";
import { admit, EMPTY, type IceBuffer, take } from "../../../workers/call/ice.ts";

const gathered = (...names: string[]) => ({
  candidates: names.map((name) => ({ candidate: { candidate: name }, fingerprint: name })),
  endOfCandidates: false,
});
const names = (buffer: IceBuffer, now = 0) => take(buffer, now).batch?.candidates.map(({ candidate }) => candidate);

test("[ICE-2] candidates wait until they are taken, once", () => {
  const buffer = admit(EMPTY, gathered("a", "b"), 0);
  const { buffer: rest, batch } = take(buffer, 1_000);
  expect(batch?.candidates).toHaveLength(2);
  expect(take(rest, 1_000).batch).toBeNull();
});

test("[ICE-3] a repeated candidate is dropped, in a batch and after it was forwarded", () => {
  const once = admit(EMPTY, gathered("a", "a", "b"), 0);
  expect(names(once)).toEqual(["a", "b"]);
  const again = admit(take(once, 0).buffer, gathered("a", "c"), 0);
  expect(names(again)).toEqual(["c"]);
});

test("[ICE-2] what waited for a minute is of no use", () => {
  const buffer = admit(admit(EMPTY, gathered("old"), 0), gathered("new"), CANDIDATE_KEPT_MS - 1);
  expect(names(buffer, CANDIDATE_KEPT_MS)).toEqual(["new"]);
});

test("[ICE-2] no more than 64 of a device", () => {
  const many = Array.from({ length: MAX_CANDIDATES + 10 }, (_, index) => `candidate ${index}`);
  expect(names(admit(EMPTY, gathered(...many), 0))).toHaveLength(MAX_CANDIDATES);
});

test("[ICE-1] the end of candidates is said once, also without a candidate", () => {
  const buffer = admit(EMPTY, { candidates: [], endOfCandidates: true }, 0);
  const { buffer: rest, batch } = take(buffer, 0);
  expect(batch).toEqual({ candidates: [], endOfCandidates: true });
  expect(take(rest, 0).batch).toBeNull();
});

test("[ICE-2] the limit is of those that wait: restarts bring new ones for as long as the call lasts", () => {
  let buffer = EMPTY;
  for (let i = 0; i < 5 * MAX_CANDIDATES; i++) {
    const { buffer: rest, batch } = take(admit(buffer, gathered(`candidate ${i}`), 0), 0);
    expect(batch?.candidates).toHaveLength(1);
    buffer = rest;
  }
  expect(buffer.seen.length).toBeLessThan(3 * MAX_CANDIDATES);
});
