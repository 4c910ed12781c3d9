import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type PathReport, PathReports } from "../../client/path-reports.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const pair = { id: "P", type: "candidate-pair", localCandidateId: "L", selected: true, currentRoundTripTime: 0.02 };
const host = { id: "L", type: "local-candidate", candidateType: "host", protocol: "udp" };
const picture = { id: "V", type: "inbound-rtp", kind: "video", framesDecoded: 1 };

/** A call's reports, with the statistics of the moment; `null` while there is no connection. */
function reporting(callType: "audio" | "video" = "video") {
  const told: PathReport[] = [];
  const call = { stats: [pair, host] as Record<string, unknown>[] | null, told };
  const options = {
    callType,
    now: Date.now,
    stats: async () => call.stats,
    send: (report: PathReport) => told.push(report),
  };
  return { ...call, reports: new PathReports(options), of: call };
}

const after = (ms: number) => vi.advanceTimersByTimeAsync(ms);

test("[MEDIA-1] how the media travels is told when it is up, and how long all took at the first frame", async () => {
  const { reports, told, of } = reporting();
  await after(300);
  reports.mark("alertingMs");
  await after(2_000);
  reports.mark("answeredMs");
  await after(200);
  reports.pathIs("connected");
  await after(90);
  of.stats = [pair, host, picture];
  await after(20);
  const path = { state: "connected", candidateType: "host", protocol: "udp", rttMs: 20 };
  const setup = { alertingMs: 300, answeredMs: 2_300, iceConnectedMs: 2_500 };
  expect(told).toEqual([
    { ...path, setup },
    { ...path, setup: { ...setup, firstFrameMs: 2_600 } },
  ]);
});

test("a path that breaks and comes again is told anew, with the set-up as it was", async () => {
  const { reports, told, of } = reporting();
  of.stats = [pair, host, picture];
  reports.pathIs("connected");
  await after(0);
  reports.pathIs("recovering");
  await after(5_000);
  of.stats = [pair, { ...host, candidateType: "relay", relayProtocol: "tls" }, picture];
  reports.pathIs("connected");
  await after(0);
  expect(told.map(({ state }) => state)).toEqual(["connected", "connected", "recovering", "connected"]);
  const setup = { iceConnectedMs: 0, firstFrameMs: 0 };
  expect(told.at(-1)).toMatchObject({ candidateType: "relay", relayProtocol: "tls", setup });
});

test("what is no more so when the statistics are there is not told", async () => {
  const { reports, told } = reporting();
  reports.pathIs("connected");
  reports.pathIs("recovering");
  await after(0);
  expect(told).toEqual([{ state: "recovering" }]);
});

test("nobody waits for ever for a picture, nor after the call is over", async () => {
  const silent = reporting();
  silent.reports.pathIs("connected");
  await after(60_000);
  expect(vi.getTimerCount()).toBe(0);
  expect(silent.told).toHaveLength(1);

  const over = reporting();
  over.reports.pathIs("connected");
  await after(10);
  over.reports.close();
  over.of.stats = [pair, host, picture];
  await after(100);
  expect(vi.getTimerCount()).toBe(0);
  expect(over.told).toHaveLength(1);
});

test("who joins a call that goes on counts from there, and what a set clock makes of it is left out", async () => {
  const { reports, told } = reporting("audio");
  reports.mark("alertingMs");
  await after(7_200_000);
  reports.mark("answeredMs");
  reports.pathIs("connected");
  await after(0);
  expect(told[0]?.setup).toEqual({ alertingMs: 0 });
  reports.begins();
  reports.pathIs("connected");
  await after(0);
  expect(told.at(-1)?.setup).toEqual({ iceConnectedMs: 0 });
});
