import * as z from "zod";
import { MediaReport } from "../schema/media-report.ts";
import type { QualitySample } from "./quality.ts";

/** The parts of W3C webrtc-stats that are read here; browsers leave some of them out. */
const Report = z.object({
  id: z.string(),
  type: z.string(),
  selectedCandidatePairId: z.string().optional(),
  localCandidateId: z.string().optional(),
  remoteCandidateId: z.string().optional(),
  selected: z.boolean().optional(),
  currentRoundTripTime: z.number().optional(),
  candidateType: MediaReport.shape.candidateType.catch(undefined),
  protocol: MediaReport.shape.protocol.catch(undefined),
  relayProtocol: MediaReport.shape.relayProtocol.catch(undefined),
  kind: z.string().optional(),
  framesDecoded: z.number().optional(),
  packetsReceived: z.number().optional(),
  packetsLost: z.number().optional(),
  fractionLost: z.number().optional(),
});
type Report = z.infer<typeof Report>;

/** Anything that lists reports, as `RTCStatsReport` does. */
export interface StatsSource {
  forEach(visit: (report: unknown) => void): void;
}

/** How the media travels: the candidate pair in use. Empty where there is none. */
export function selectedPath(source: StatsSource): MediaReport {
  const reports = read(source);
  const pair = selectedPair(reports);
  if (!pair) return {};
  const end = (id: string | undefined) => reports.find((report) => report.id === id);
  const { candidateType, protocol, relayProtocol } = end(pair.localCandidateId) ?? {};
  const remoteCandidateType = end(pair.remoteCandidateId)?.candidateType;
  const { currentRoundTripTime: rtt } = pair;
  const rttMs = rtt === undefined ? undefined : Math.round(rtt * 1000);
  return { candidateType, remoteCandidateType, protocol, relayProtocol, rttMs };
}

/** Whether a picture was decoded, or a packet of sound came. */
export function hasArrived(source: StatsSource, kind: "audio" | "video"): boolean {
  const inbound = read(source).filter((report) => report.type === "inbound-rtp" && report.kind === kind);
  return inbound.some(
    ({ framesDecoded, packetsReceived }) => (kind === "video" ? framesDecoded : packetsReceived) ?? 0,
  );
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
