import type { types } from "mediasoup";
import { RemoteOfferMediaSection } from "mediasoup-client/handlers/sdp/RemoteMediaSection";
import * as ortc from "mediasoup-client/ortc";
import type { MediaDescription } from "sdp-transform";
import type { TrackSource } from "../../schema/room.ts";
import { knownExtensions } from "./capabilities.ts";
import { PROBATOR } from "./lines.ts";
import { PROBATOR_CODEC } from "./numbers.ts";

/** The SFU's m-section for one track that it sends. */
export function downloadMedia(
  mid: string,
  { kind, rtpParameters }: types.Consumer,
  streamId: string,
  trackId: TrackSource,
): MediaDescription {
  const { codecs, encodings = [], rtcp } = rtpParameters;
  const headerExtensions = knownExtensions(rtpParameters.headerExtensions ?? []);
  const offerRtpParameters = { mid, codecs, encodings, headerExtensions, rtcp: { cname: rtcp?.cname ?? streamId } };
  return new RemoteOfferMediaSection({ mid, kind, offerRtpParameters, streamId, trackId }).getObject();
}

/** The m-section of mediasoup's probes. */
export function probatorMedia(): MediaDescription {
  const offerRtpParameters = ortc.generateProbatorRtpParameters({
    codecs: [PROBATOR_CODEC],
    encodings: [{}],
    headerExtensions: PROBATOR_EXTENSIONS,
    rtcp: { cname: PROBATOR },
  });
  const about = { mid: PROBATOR, streamId: PROBATOR, trackId: PROBATOR };
  return new RemoteOfferMediaSection({ ...about, kind: "video", offerRtpParameters }).getObject();
}

const PROBATOR_EXTENSIONS = knownExtensions([
  { uri: "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time", id: 4 },
  { uri: "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01", id: 5 },
]);
