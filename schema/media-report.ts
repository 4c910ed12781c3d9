import * as z from "zod";

/** What a device reports of the path that its media takes. Kept with the call; nothing is decided by it. */

/** W3C webrtc-stats, `RTCIceCandidateType`. */
export const CandidateType = z.enum(["host", "srflx", "prflx", "relay"]);

/** An hour: what takes longer was a clock that was set. */
export const MAX_REPORTED_MS = 3_600_000;
const Milliseconds = z.int().nonnegative().max(MAX_REPORTED_MS);

/**
 * How long after the device initiated the call, was rung or asked to take over; in ms by its own clock, rounded.
 * What it has not seen is left out: of a callee `alertingMs` is when it alerted its user, of a caller when it heard so.
 */
export const SetupTimes = z.object({
  alertingMs: Milliseconds.optional(),
  answeredMs: Milliseconds.optional(),
  /** The first candidate pair is in use (`RTCPeerConnection.connectionState` is `connected`). */
  iceConnectedMs: Milliseconds.optional(),
  /** The first frame of the other side is decoded; of a voice call the first packet is there. */
  firstFrameMs: Milliseconds.optional(),
});
export type SetupTimes = z.infer<typeof SetupTimes>;

/** The selected candidate pair, seen from the device (W3C webrtc-stats, `RTCIceCandidateStats`), and the set-up. */
export const MediaReport = z.object({
  candidateType: CandidateType.optional(),
  remoteCandidateType: CandidateType.optional(),
  /** Between the two ends of the pair; to a relay `relayProtocol`. */
  protocol: z.enum(["udp", "tcp"]).optional(),
  relayProtocol: z.enum(["udp", "tcp", "tls"]).optional(),
  /** `RTCIceCandidatePairStats.currentRoundTripTime`, in ms. */
  rttMs: Milliseconds.optional(),
  setup: SetupTimes.optional(),
});
export type MediaReport = z.infer<typeof MediaReport>;
