import type { types } from "mediasoup";
import { type MediaDescription, write } from "sdp-transform";

/** What every m-section of the SFU's descriptions has in common: the transport that all are bundled on. */
export interface TransportDescription {
  readonly iceParameters: types.IceParameters;
  readonly iceCandidates: readonly types.IceCandidate[];
  readonly dtlsParameters: types.DtlsParameters;
}

/** `a=setup` (RFC 8842): an offer leaves the choice of roles that an answer has made as it is. */
export type Setup = "actpass" | "active" | "passive";

/** The SFU's side of all m-sections as a session description; a section with the port 0 is refused. */
export function writeDescription(
  sections: readonly MediaDescription[],
  transport: TransportDescription,
  setup: Setup,
  version: number,
): string {
  const accepted = sections.filter(({ port }) => port !== 0);
  return write({
    version: 0,
    origin: { username: "-", sessionId: 1, sessionVersion: version, netType: "IN", ipVer: 4, address: "0.0.0.0" },
    name: "-",
    timing: { start: 0, stop: 0 },
    icelite: "ice-lite",
    groups: [{ type: "BUNDLE", mids: accepted.map(({ mid }) => mid).join(" ") }],
    extmapAllowMixed: "extmap-allow-mixed",
    msidSemantic: { semantic: "WMS", token: "*" },
    media: sections.map((section) => (section.port === 0 ? section : { ...section, ...described(transport, setup) })),
  });
}

/** The m-section that answers one which is refused. */
export function refused({ type, protocol, payloads, mid }: MediaDescription): MediaDescription {
  const connection = { ip: "0.0.0.0", version: 4 };
  const numbers = { rtp: [], fmtp: [], ...(payloads !== undefined && { payloads }) };
  return { type, protocol, ...numbers, port: 0, connection, direction: "inactive", ...(mid !== undefined && { mid }) };
}

function described(
  { iceParameters, iceCandidates, dtlsParameters }: TransportDescription,
  setup: Setup,
): Partial<MediaDescription> {
  return {
    iceUfrag: iceParameters.usernameFragment,
    icePwd: iceParameters.password,
    candidates: iceCandidates.map((candidate) => ({
      foundation: candidate.foundation,
      // RFC 5761: RTCP has no component of its own.
      component: 1,
      ip: candidate.address,
      port: candidate.port,
      priority: candidate.priority,
      transport: candidate.protocol,
      type: candidate.type,
      ...(candidate.tcpType && { tcptype: candidate.tcpType }),
    })),
    endOfCandidates: "end-of-candidates",
    setup,
    ...fingerprintOf(dtlsParameters),
  };
}

/** SHA-256 is what every stack knows (RFC 8122, section 5). */
function fingerprintOf({ fingerprints }: types.DtlsParameters): Partial<MediaDescription> {
  const found = fingerprints.find(({ algorithm }) => algorithm === "sha-256");
  return found ? { fingerprint: { type: found.algorithm, hash: found.value } } : {};
}
