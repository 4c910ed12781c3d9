import type { RtpCapabilities, RtpParameters } from "mediasoup-client/types";

/**
 * In one BUNDLE a payload type means one codec and a header extension's id one URI, whatever the m-section (RFC 9143,
 * section 9). What mediasoup sends has the router's numbers, so a client may send with its own only where they say
 * nothing else.
 */
export interface Numbers {
  readonly codecs: ReadonlyMap<number, string>;
  readonly extensions: ReadonlyMap<number, string>;
}

/** Of mediasoup's probes, with which a room offers one m-section. */
export const PROBATOR_CODEC = { mimeType: "video/VP8", clockRate: 90_000, payloadType: 127, rtcpFeedback: [] };

export function numbersOf(router: RtpCapabilities): Numbers {
  const codecs = (router.codecs ?? []).map((codec) => [codec.preferredPayloadType ?? -1, identity(codec)] as const);
  return {
    codecs: new Map([...codecs, [PROBATOR_CODEC.payloadType, identity(PROBATOR_CODEC)]]),
    extensions: new Map((router.headerExtensions ?? []).map(({ preferredId, uri }) => [preferredId, uri])),
  };
}

/** Whether a client may go on with the numbers that it offered. */
export function isAtPeace({ codecs, headerExtensions }: RtpParameters, numbers: Numbers): boolean {
  const uris = new Set(numbers.extensions.values());
  return (
    codecs.every((codec) => (numbers.codecs.get(codec.payloadType) ?? identity(codec)) === identity(codec)) &&
    (headerExtensions ?? []).every(({ id, uri }) => {
      const meant = numbers.extensions.get(id);
      // A receiver knows an extension by one id only, so a second one for the same URI is as bad.
      return meant === undefined ? !uris.has(uri) : meant === uri;
    })
  );
}

function identity(codec: { mimeType: string; clockRate: number; parameters?: Readonly<Record<string, unknown>> }) {
  const { apt, "profile-id": profile, "profile-level-id": level } = codec.parameters ?? {};
  return [codec.mimeType.toLowerCase(), codec.clockRate, apt ?? "", profile ?? "", level ?? ""].join(" ");
}
