import { type MediaDescription, parse, write } from "sdp-transform";
import type { MediaKind } from "../../../schema/room.ts";
import type { Link, Remote } from "./link.ts";

/** Numbers that mean nothing else to mediasoup, so that nobody has to change them. */
export const OPUS = 96;
export const VP8 = 97;
const RTX = 98;
/** The client-to-mixer audio level (RFC 6464), as mediasoup calls it. */
export const LEVEL_ID = 6;

/** A track that a load client sends. */
export interface SentLine {
  readonly kind: MediaKind;
  readonly ssrc: number;
}

const NUMBERS: Readonly<Record<MediaKind, Pick<MediaDescription, "payloads" | "rtp" | "fmtp" | "rtcpFb" | "ext">>> = {
  audio: {
    payloads: `${OPUS}`,
    rtp: [{ payload: OPUS, codec: "opus", rate: 48_000, encoding: 2 }],
    fmtp: [{ payload: OPUS, config: "minptime=10;useinbandfec=1;usedtx=1" }],
    ext: [{ value: LEVEL_ID, uri: "urn:ietf:params:rtp-hdrext:ssrc-audio-level" }],
  },
  video: {
    payloads: `${VP8} ${RTX}`,
    rtp: [
      { payload: VP8, codec: "VP8", rate: 90_000 },
      { payload: RTX, codec: "rtx", rate: 90_000 },
    ],
    fmtp: [{ payload: RTX, config: `apt=${VP8}` }],
    rtcpFb: [
      { payload: VP8, type: "nack" },
      { payload: VP8, type: "nack", subtype: "pli" },
    ],
  },
};
const KINDS = ["audio", "video"] as const;

/** A line of each kind; one on which nothing is sent says what can be received. */
export function writeOffer(link: Link, sent: readonly SentLine[]): string {
  return describe(
    link,
    KINDS.map((kind, index) => ownLine(kind, String(index), sent)),
    "actpass",
  );
}

/** Takes all that an SFU offers, and sends on as before. */
export function writeAnswer(link: Link, offer: string, sent: readonly SentLine[]): string {
  const media = parse(offer).media.map((section, index) => {
    const own = sent.find(({ kind }) => kind === KINDS[index]);
    return own ? ownLine(own.kind, String(index), sent) : received(section);
  });
  return describe(link, media, "active");
}

export function remoteOf(description: string): Remote {
  const { media } = parse(description);
  const section = media.find(({ candidates }) => candidates);
  const candidate = section?.candidates?.find(({ transport }) => transport.toLowerCase() === "udp");
  if (!section || !candidate) throw new Error("the SFU has no UDP candidate");
  const { iceUfrag = "", icePwd = "" } = section;
  return { ip: candidate.ip, port: candidate.port, usernameFragment: iceUfrag, password: icePwd };
}

/** Which SSRC each m-section's packets have that the SFU sends. */
export function receivedSsrcs(description: string): ReadonlyMap<number, string> {
  const { media } = parse(description);
  return new Map(
    media.flatMap(({ mid, direction, ssrcs }) => {
      const ssrc = ssrcs?.[0]?.id;
      return ssrc === undefined || direction !== "sendonly" ? [] : [[Number(ssrc), String(mid)] as const];
    }),
  );
}

function ownLine(kind: MediaKind, mid: string, sent: readonly SentLine[]): MediaDescription {
  const line = sent.find((one) => one.kind === kind);
  const ssrcs = line && [{ id: line.ssrc, attribute: "cname", value: "load" }];
  const direction = line ? "sendonly" : "inactive";
  return { ...COMMON, ...NUMBERS[kind], type: kind, mid, direction, ...(ssrcs && { ssrcs }) };
}

function received({ type, payloads, rtp, fmtp, rtcpFb, ext, mid, direction }: MediaDescription): MediaDescription {
  const answer = direction === "sendonly" ? "recvonly" : "inactive";
  const numbers = {
    rtp,
    fmtp,
    ...(payloads && { payloads }),
    ...(rtcpFb && { rtcpFb: rtcpFb.map(withoutBlank) }),
    ...(ext && { ext }),
  };
  return { ...COMMON, ...numbers, type, direction: answer, ...(mid !== undefined && { mid }) };
}

/** mediasoup-client writes a blank where there is no subtype. */
function withoutBlank({ payload, type, subtype }: FeedbackLine): FeedbackLine {
  return { payload, type, ...(subtype && { subtype }) };
}

type FeedbackLine = NonNullable<MediaDescription["rtcpFb"]>[number];

const COMMON = {
  port: 9,
  protocol: "UDP/TLS/RTP/SAVPF",
  connection: { ip: "0.0.0.0", version: 4 },
  rtcpMux: "rtcp-mux",
} as const;

function describe(link: Link, media: readonly MediaDescription[], setup: "actpass" | "active"): string {
  const { usernameFragment: iceUfrag, password: icePwd } = link;
  const fingerprint = { type: "sha-256", hash: link.fingerprint };
  return write({
    version: 0,
    origin: { username: "-", sessionId: 1, sessionVersion: 1, netType: "IN", ipVer: 4, address: "127.0.0.1" },
    name: "-",
    timing: { start: 0, stop: 0 },
    groups: [{ type: "BUNDLE", mids: media.map(({ mid }) => mid).join(" ") }],
    media: media.map((section) => ({ ...section, iceUfrag, icePwd, fingerprint, setup })),
  });
}
