import type { types } from "mediasoup";
import { extractRtpCapabilities } from "mediasoup-client/handlers/sdp/commonUtils";
import * as ortc from "mediasoup-client/ortc";
import type {
  RtpCapabilities,
  RtpHeaderExtension,
  RtpHeaderExtensionParameters,
  RtpHeaderExtensionUri,
} from "mediasoup-client/types";
import type { Section } from "./description.ts";
import { RoomRefusal } from "./refusal.ts";

/**
 * The header extensions that a room reads or forwards. What nobody here reads is not asked for: it would only cost
 * bytes, and ids that others need.
 */
const WANTED: readonly RtpHeaderExtensionUri[] = [
  "urn:ietf:params:rtp-hdrext:sdes:mid",
  "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
  "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
  "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
  "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
  "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
  "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension",
  "urn:3gpp:video-orientation",
];

/** What a router can take and give, as far as a room makes use of it. */
export function roomCapabilities({ codecs, headerExtensions }: types.RtpCapabilities): RtpCapabilities {
  return {
    codecs: codecs ?? [],
    headerExtensions: (headerExtensions ?? []).flatMap((extension): RtpHeaderExtension[] => {
      const uri = WANTED.find((wanted) => wanted === extension.uri);
      return uri === undefined ? [] : [{ ...extension, uri }];
    }),
  };
}

/**
 * The codecs and extensions of one m-section of a client's.
 * @throws RoomRefusal `bad_message`
 */
export function capabilitiesOf({ media }: Pick<Section, "media">): RtpCapabilities {
  const capabilities = extractRtpCapabilities({ sdpObject: { ...EMPTY, media: [media] } });
  try {
    ortc.validateAndNormalizeRtpCapabilities(capabilities);
  } catch {
    throw new RoomRefusal("bad_message", `sdp: the m-section ${media.mid} has a codec without its parameters`);
  }
  return capabilities;
}

/** What `extractRtpCapabilities` does not look at. */
const EMPTY = {
  version: 0,
  origin: { username: "-", sessionId: 0, sessionVersion: 0, netType: "IN", ipVer: 4, address: "0.0.0.0" },
  name: "-",
  timing: { start: 0, stop: 0 },
};

/**
 * What a client that offered these m-sections can be sent, in the router's numbers. Of a kind that it has not offered
 * nobody knows: it is offered what there is, and may refuse.
 */
export function receiveCapabilities(sections: readonly Section[], room: RtpCapabilities): RtpCapabilities {
  const offered = sections.filter(({ kind }) => kind !== null).map(capabilitiesOf);
  const kinds = new Set(sections.map(({ kind }) => kind));
  const local: RtpCapabilities = {
    codecs: [
      ...offered.flatMap(({ codecs }) => codecs ?? []),
      ...(room.codecs ?? []).filter(({ kind }) => !kinds.has(kind)),
    ],
    headerExtensions: [
      ...offered.flatMap(({ headerExtensions }) => headerExtensions ?? []),
      ...(room.headerExtensions ?? []).filter(({ kind }) => !kinds.has(kind ?? null)),
    ],
  };
  return ortc.getRecvRtpCapabilities(ortc.getExtendedRtpCapabilities(local, room, false));
}

/** Of what mediasoup says of its extensions, what a room makes use of. */
export function knownExtensions(
  extensions: readonly { readonly uri: string; readonly id: number }[],
): RtpHeaderExtensionParameters[] {
  return extensions.flatMap(({ uri, id }): RtpHeaderExtensionParameters[] => {
    const known = WANTED.find((wanted) => wanted === uri);
    return known === undefined ? [] : [{ uri: known, id, encrypt: false, parameters: {} }];
  });
}
