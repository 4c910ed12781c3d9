import * as z from "zod";
import { CandidateType } from "../schema/client-messages.ts";
import type { QualitySample } from "./quality.ts";

/** The parts of W3C webrtc-stats that are read here; browsers leave some of them out. */
const Report = z.object({
  id: z.string(),
  type: z.string(),
  selectedCandidatePairId: z.string().optional(),
  localCandidateId: z.string().optional(),
  selected: z.boolean().optional(),
  currentRoundTripTime: z.number().optional(),
  candidateType: CandidateType.optional().catch(undefined),
  packetsReceived: z.number().optional(),
  packetsLost: z.number().optional(),
  fractionLost: z.number().optional(),
});
type Report = z.infer<typeof Report>;

/** Anything that lists reports, as `RTCStatsReport` does. */
export interface StatsSource {
  forEach(visit: (report: unknown) => void): void;
}

/** How the media travels: the local end of the candidate pair in use. */
export function selectedCandidateType(source: StatsSource): z.infer<typeof CandidateType> | undefined {
  const reports = read(source);
  const pair = selectedPair(reports);
  return reports.find((report) => report.id === pair?.localCandidateId)?.candidateType;
}

export function qualitySample(source: StatsSource): QualitySample {
  const reports = read(source);
  const inbound = reports.filter((report) => report.type === "inbound-rtp");
  const remote = reports.filter((report) => report.type === "remote-inbound-rtp");
  return {
    received: sum(inbound.map((report) => report.packetsReceived)),
    lost: sum(inbound.map((report) => report.packetsLost)),
    peerLoss: Math.max(0, ...remote.map((report) => report.fractionLost ?? 0)),
    rttMs: (selectedPair(reports)?.currentRoundTripTime ?? 0) * 1000,
  };
}

/** Firefox marks the pair itself, the others name it in the transport. */
function selectedPair(reports: readonly Report[]): Report | undefined {
  const named = reports.find((report) => report.type === "transport")?.selectedCandidatePairId;
  return reports.find(
    (report) => report.type === "candidate-pair" && (report.id === named || report.selected === true),
  );
}

function read(source: StatsSource): Report[] {
  const reports: Report[] = [];
  source.forEach((report) => {
    const parsed = Report.safeParse(report);
    if (parsed.success) reports.push(parsed.data);
  });
  return reports;
}

function sum(values: readonly (number | undefined)[]): number {
  return values.reduce<number>((total, value) => total + (value ?? 0), 0);
}
