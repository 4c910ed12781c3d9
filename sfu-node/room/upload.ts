import { getCname } from "mediasoup-client/handlers/sdp/commonUtils";
import { RemoteAnswerMediaSection, RemoteOfferMediaSection } from "mediasoup-client/handlers/sdp/RemoteMediaSection";
import { getRtpEncodings } from "mediasoup-client/handlers/sdp/unifiedPlanUtils";
import * as ortc from "mediasoup-client/ortc";
import type { RtpCapabilities, RtpCodecParameters, RtpEncodingParameters, RtpParameters } from "mediasoup-client/types";
import { type MediaDescription, parseSimulcastStreamList } from "sdp-transform";
import type { MediaKind } from "../../schema/room.ts";
import { capabilitiesOf } from "./capabilities.ts";
import type { Section } from "./description.ts";

/** What a client sends on an m-section, in mediasoup's words, and the SFU's side of that section. */
export interface Upload {
  readonly rtpParameters: RtpParameters;
  readonly media: MediaDescription;
}

/** More layers than these no encoder makes of one camera. */
const MAX_LAYERS = 3;

/**
 * The first codec of the client's choice that the room knows, with the numbers of the client's description.
 * @returns null if they have no codec in common
 */
export function uploadOf({ mid, media }: Section, kind: MediaKind, router: RtpCapabilities): Upload | null {
  const extended = ortc.getExtendedRtpCapabilities(capabilitiesOf({ media }), router, true);
  const sending = ortc.getSendingRtpParameters(kind, extended);
  if (sending.codecs.length === 0) return null;
  const answering = ortc.getSendingRemoteRtpParameters(kind, extended);
  const codecs = chosen(sending.codecs, media);
  const rtpParameters: RtpParameters = {
    ...sending,
    codecs,
    mid,
    encodings: encodingsOf(media, codecs),
    rtcp: { cname: getCname({ offerMediaObject: media }), reducedSize: true },
  };
  const answer = new RemoteAnswerMediaSection({
    offerMediaObject: isLayered(codecs) ? media : withoutLayers(media),
    offerRtpParameters: rtpParameters,
    answerRtpParameters: { ...answering, codecs: chosen(answering.codecs, media).map(withStartBitrate) },
  });
  return { rtpParameters, media: answer.getObject() };
}

/** The same m-section as the SFU offers to receive it, with the router's numbers. */
export function renumbered(section: Section, kind: MediaKind, router: RtpCapabilities): MediaDescription {
  const extended = ortc.getExtendedRtpCapabilities(capabilitiesOf(section), router, true);
  const answering = ortc.getSendingRemoteRtpParameters(kind, extended);
  const codecs = chosen(answering.codecs, section.media);
  const offer = new RemoteOfferMediaSection({
    mid: section.mid,
    kind,
    offerRtpParameters: {
      codecs: withRouterNumbers(codecs, extended).map(withStartBitrate),
      headerExtensions: (answering.headerExtensions ?? []).map((extension) => ({
        ...extension,
        id: extended.headerExtensions.find(({ uri }) => uri === extension.uri)?.recvId ?? extension.id,
      })),
      encodings: [{}],
      rtcp: {},
    },
  }).getObject();
  const { msid: _msid, ssrcs: _ssrcs, ssrcGroups: _groups, ...media } = offer;
  return { ...media, direction: "recvonly", ...(isLayered(codecs) && simulcastOf(section.media)) };
}

/** The client's first codec, and its RTX; of a camera in layers the first one of which mediasoup takes layers. */
function chosen(codecs: RtpCodecParameters[], media: MediaDescription): RtpCodecParameters[] {
  const layered = sentRids(media).length > 1 ? codecs.findIndex((codec) => isLayered([codec])) : 0;
  return ortc.reduceCodecs(codecs.slice(Math.max(0, layered)));
}

/** As mediasoup's worker has it. */
function isLayered([codec]: readonly RtpCodecParameters[]): boolean {
  return /^video\/(?:VP8|H264)$/i.test(codec?.mimeType ?? "");
}

/** RFC 8853, section 5.3.2: answered so, the client sends one of its layers. */
function withoutLayers({ simulcast: _simulcast, rids: _rids, ...media }: MediaDescription): MediaDescription {
  return media;
}

/**
 * The line as long as nothing is sent on it, with a codec for form's sake. A client that hears nothing of its layers
 * now drops all but one for good (W3C WebRTC, section 4.4.1.5), and layers are not taken without their extension.
 */
export function asInactive({ ext, ...media }: MediaDescription): MediaDescription {
  const named = ext?.filter(({ uri }) => uri === RID_URI);
  return { ...media, ...(media.simulcast && named && { ext: named }), direction: "inactive" };
}

/** An answer has no extensions but those of the offer (RFC 8285, section 6); Firefox refuses one that has. */
export function within(offer: MediaDescription, { ext, ...answer }: MediaDescription): MediaDescription {
  const offered = new Set(offer.ext?.map(({ uri }) => uri));
  return { ...answer, ...(ext && { ext: ext.filter(({ uri }) => offered.has(uri)) }) };
}

const RID_URI = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id";

/**
 * Chromium begins at 300 kbps and takes half a minute to find that there is more; the largest layer of a camera is
 * only sent then.
 */
const START_KBPS = 1_000;

function withStartBitrate(codec: RtpCodecParameters): RtpCodecParameters {
  if (!/^video\/(?!rtx)/i.test(codec.mimeType)) return codec;
  return { ...codec, parameters: { ...codec.parameters, "x-google-start-bitrate": START_KBPS } };
}

function withRouterNumbers(
  codecs: RtpCodecParameters[],
  extended: ReturnType<typeof ortc.getExtendedRtpCapabilities>,
): RtpCodecParameters[] {
  const ours = new Map(
    extended.codecs.flatMap((codec) => [
      [codec.localPayloadType, codec.remotePayloadType] as const,
      [codec.localRtxPayloadType, codec.remoteRtxPayloadType] as const,
    ]),
  );
  return codecs.map((codec) => {
    const { apt } = codec.parameters ?? {};
    const parameters = { ...codec.parameters, ...(apt !== undefined && { apt: ours.get(Number(apt)) }) };
    return { ...codec, payloadType: ours.get(codec.payloadType) ?? codec.payloadType, parameters };
  });
}

/** A stream per RID (RFC 8853), from the smallest to the largest as the client lists them; else by its SSRCs. */
function encodingsOf(media: MediaDescription, codecs: RtpCodecParameters[]): RtpEncodingParameters[] {
  const rids = isLayered(codecs) ? sentRids(media) : [];
  if (rids.length > 0) return rids.map((rid) => ({ rid }));
  // RFC 8829, section 5.2.1: a=ssrc is optional, and the MID tells whose a packet is.
  if (!media.ssrcs?.length) return [{}];
  return getRtpEncodings({ offerMediaObject: media, codecs }).slice(0, isLayered(codecs) ? MAX_LAYERS : 1);
}

function sentRids({ simulcast, rids }: MediaDescription): string[] {
  const list = simulcast?.dir1 === "send" ? simulcast.list1 : simulcast?.dir2 === "send" ? simulcast.list2 : undefined;
  if (list === undefined) return [];
  const known = new Set(rids?.filter(({ direction }) => direction === "send").map(({ id }) => String(id)));
  const listed = parseSimulcastStreamList(String(list)).flatMap(([first]) => (first ? [String(first.scid)] : []));
  return listed.filter((rid) => known.has(rid)).slice(0, MAX_LAYERS);
}

function simulcastOf(media: MediaDescription): Partial<MediaDescription> {
  const rids = sentRids(media);
  if (rids.length === 0) return {};
  return {
    rids: rids.map((id) => ({ id, direction: "recv" })),
    simulcast: { dir1: "recv", list1: rids.join(";") },
  };
}
