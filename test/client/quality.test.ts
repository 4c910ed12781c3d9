import { expect, test } from "vitest";
import { GOOD, judge, type QualitySample } from "../../client/quality.ts";
import { hasArrived, qualitySample, selectedPath } from "../../client/stats.ts";

const fine = (n: number): QualitySample => ({ received: 100 * n, lost: 0, peerLoss: 0, rttMs: 40 });
const lossy = (n: number): QualitySample => ({ received: 90 * n, lost: 10 * n, peerLoss: 0, rttMs: 40 });
const judged = (samples: readonly QualitySample[]) => samples.reduce(judge, GOOD).isPoor;

test("a single bad sample is no poor connection, two in a row are", () => {
  expect(judged([fine(1), { ...fine(2), rttMs: 900 }])).toBe(false);
  expect(judged([fine(1), { ...fine(2), rttMs: 900 }, fine(3), { ...fine(4), rttMs: 900 }])).toBe(false);
  expect(judged([fine(1), { ...fine(2), rttMs: 900 }, { ...fine(3), rttMs: 900 }])).toBe(true);
});

test("loss counts since the last sample, here and at the other end", () => {
  expect(judged([lossy(1), lossy(2)])).toBe(true);
  expect(
    judged([
      { ...fine(1), peerLoss: 0.2 },
      { ...fine(2), peerLoss: 0.2 },
    ]),
  ).toBe(true);
  const longAgo = { received: 1_000, lost: 500, peerLoss: 0, rttMs: 40 };
  expect(judged([longAgo, { ...longAgo, received: 2_000 }, { ...longAgo, received: 3_000 }])).toBe(false);
});

test("the hint goes after four good samples in a row", () => {
  const poor = [lossy(1), lossy(2)].reduce(judge, GOOD);
  const after = (n: number) => Array.from({ length: n }, (_, i) => ({ ...lossy(2), received: 1_000 * (i + 1) }));
  expect(after(3).reduce(judge, poor).isPoor).toBe(true);
  expect(after(4).reduce(judge, poor).isPoor).toBe(false);
});

test("a connection without packets yet is not poor", () => {
  const empty = { received: 0, lost: 0, peerLoss: 0, rttMs: 0 };
  expect(judged([empty, empty, empty])).toBe(false);
});

const local = { id: "L", type: "local-candidate", candidateType: "relay", protocol: "udp", relayProtocol: "tls" };
const remote = { id: "R", type: "remote-candidate", candidateType: "srflx", protocol: "udp" };
const other = { id: "M", type: "local-candidate", candidateType: "host" };

const ends = { localCandidateId: "L", remoteCandidateId: "R" };
const pair = { id: "P", type: "candidate-pair", ...ends, currentRoundTripTime: 0.25 };

test.each([
  [
    "named by the transport",
    [
      { id: "T", type: "transport", selectedCandidatePairId: "P" },
      { id: "Q", type: "candidate-pair", localCandidateId: "M" },
      pair,
      remote,
      local,
      other,
    ],
  ],
  [
    "marked on the pair",
    [
      { id: "Q", type: "candidate-pair", localCandidateId: "M", selected: false },
      { ...pair, selected: true },
      remote,
      other,
      local,
    ],
  ],
])("the pair in use, %s", (_title, reports) => {
  expect(selectedPath(reports)).toEqual({
    candidateType: "relay",
    remoteCandidateType: "srflx",
    protocol: "udp",
    relayProtocol: "tls",
    rttMs: 250,
  });
  expect(qualitySample(reports).rttMs).toBe(250);
});

test("packets are counted over sound and picture; what is no report is passed over", () => {
  const sample = qualitySample([
    { id: "1", type: "inbound-rtp", packetsReceived: 10, packetsLost: 1 },
    { id: "2", type: "inbound-rtp", packetsReceived: 20, packetsLost: 2 },
    { id: "3", type: "remote-inbound-rtp", fractionLost: 0.1 },
    { id: "4", type: "remote-inbound-rtp", fractionLost: 0.3 },
    "nonsense",
  ]);
  expect(sample).toEqual({ received: 30, lost: 3, peerLoss: 0.3, rttMs: 0 });
  expect(selectedPath([])).toEqual({});
});

test("a picture has arrived when it is decoded, a voice with its first packet", () => {
  const inbound = { id: "1", type: "inbound-rtp" };
  const waiting = { ...inbound, kind: "video", packetsReceived: 9, framesDecoded: 0 };
  expect(hasArrived([waiting, { ...inbound, kind: "audio", packetsReceived: 0 }], "video")).toBe(false);
  expect(hasArrived([waiting, { ...inbound, kind: "audio", packetsReceived: 0 }], "audio")).toBe(false);
  expect(hasArrived([{ ...waiting, framesDecoded: 1 }], "video")).toBe(true);
  expect(hasArrived([{ ...inbound, kind: "audio", packetsReceived: 1 }], "audio")).toBe(true);
});
