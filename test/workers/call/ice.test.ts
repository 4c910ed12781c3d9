import { expect, test } from "vitest";
import type { IceCandidate } from "../../../schema/client-messages.ts";
import { CANDIDATE_KEPT_MS, MAX_CANDIDATES } from "../../../schema/limits.ts";
import { admit, EMPTY, type IceBuffer, take } from "../../../workers/call/ice.ts";

const gathered = (...names: string[]) => ({
  candidates: names.map((name) => marked(name)),
  removed: [],
  endOfCandidates: false,
});
const marked = (name: string, about: Partial<IceCandidate> = {}) => ({
  candidate: { candidate: name, ...about },
  fingerprint: name,
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
  const buffer = admit(EMPTY, { candidates: [], removed: [], endOfCandidates: true }, 0);
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

/** Of an m-section and a generation. */
const of = (usernameFragment: string, sdpMid: string, ...names: string[]) => ({
  candidates: names.map((name) => marked(name, { usernameFragment, sdpMid })),
  removed: [],
  endOfCandidates: false,
});

test("[ICE-3] a restart drops what waits of the generation before, and what still comes of it", () => {
  const before = admit(EMPTY, { ...of("old", "0", "a", "b"), endOfCandidates: true }, 0);
  const restarted = admit(before, of("new", "0", "c"), 0);
  expect(names(restarted)).toEqual(["c"]);
  expect(take(restarted, 0).batch).not.toHaveProperty("endOfCandidates");
  expect(names(admit(restarted, of("old", "0", "d"), 0))).toEqual(["c"]);
});

test("[ICE-3] each m-section has generations of its own, where they are not bundled", () => {
  const both = admit(admit(EMPTY, of("x", "0", "a"), 0), of("y", "1", "b"), 0);
  expect(names(both)).toEqual(["a", "b"]);
  expect(names(admit(both, of("x", "0", "c"), 0))).toEqual(["a", "b", "c"]);
});

test("[ICE-3] the generation stands in the candidate where it is not said beside it", () => {
  const old = admit(EMPTY, gathered("candidate:1 1 udp 1 10.0.0.1 9 typ host generation 0 ufrag aB+/ network-id 1"), 0);
  const next = "candidate:1 1 udp 1 10.0.0.1 9 typ host generation 1 ufrag cD network-id 1";
  expect(names(admit(old, gathered(next), 0))).toEqual([next]);
});

test("[ICE-3] 64 of each generation are taken, also when they have gone on at once; what was sent in it is known for good", () => {
  const many = Array.from({ length: MAX_CANDIDATES }, (_, index) => `candidate ${index}`);
  const full = take(admit(EMPTY, of("x", "0", ...many), 0), 0).buffer;
  expect(names(admit(full, of("x", "0", "one more", "candidate 0"), 0))).toBeUndefined();
  expect(names(admit(full, of("y", "0", "one more"), 0))).toEqual(["one more"]);
});

test("[ICE-1] a candidate that has gone is taken back where the peer has it, never told where it has not, and may return", () => {
  const removal = (name: string) => ({ candidates: [], removed: [marked(name)], endOfCandidates: false });
  const waiting = admit(EMPTY, gathered("a", "b"), 0);
  expect(take(admit(waiting, removal("a"), 0), 0).batch).toEqual({ candidates: [{ candidate: "b" }] });
  const sent = take(waiting, 0).buffer;
  expect(take(admit(sent, removal("a"), 0), 0).batch).toEqual({ candidates: [], removed: [{ candidate: "a" }] });
  expect(take(admit(sent, removal("never sent"), 0), 0).batch).toBeNull();
  expect(names(admit(take(admit(sent, removal("a"), 0), 0).buffer, gathered("a"), 0))).toEqual(["a"]);
});
