import type { types } from "mediasoup";
import { extractDtlsParameters } from "mediasoup-client/handlers/sdp/commonUtils";
import { type MediaDescription, parse, type SessionDescription } from "sdp-transform";
import * as z from "zod";
import { MediaKind, Mid } from "../../schema/room.ts";
import { RoomRefusal } from "./refusal.ts";

/**
 * A client's session description (RFC 8866), as far as a room can serve it: one BUNDLE (RFC 9143) over ICE and
 * DTLS-SRTP (RFC 8829).
 */
export interface Description {
  readonly ice: { readonly usernameFragment: string };
  readonly dtls: types.DtlsParameters;
  readonly sections: readonly Section[];
}

/** An m-section, by its place in the description. */
export interface Section {
  readonly mid: string;
  /** Null for what no room carries: data channels. */
  readonly kind: z.infer<typeof MediaKind> | null;
  readonly direction: Direction;
  /** RFC 3264, section 6: with a port of 0 the line is none any more, whatever else it says. */
  readonly isRejected: boolean;
  /** As parsed; of what a stranger wrote only this file and those that it names may read it. */
  readonly media: MediaDescription;
}

const Direction = z.enum(["sendrecv", "sendonly", "recvonly", "inactive"]);
export type Direction = z.infer<typeof Direction>;

/** Of a room of 32: each sends four tracks at most, and reused lines leave few idle ones. */
const MAX_SECTIONS = 300;
/** No stack offers more codecs, extensions or SSRC attributes for one track. */
const MAX_ATTRIBUTES = 256;

const Uint32 = z.int().min(0).max(0xffff_ffff);
const PayloadType = z.int().min(0).max(127);
const token = z.string().min(1).max(256);
const list = <T extends z.ZodType>(item: T) => z.array(item).max(MAX_ATTRIBUTES).optional();

/** What is read of an m-section; what is not named here is not looked at. */
const Media = z.object({
  mid: z.preprocess((mid) => String(mid ?? ""), Mid),
  type: z.enum(["audio", "video", "application"]),
  port: z.int().min(0).max(65_535),
  protocol: z.string().regex(/^(?:(?:UDP|TCP)\/)?(?:TLS|DTLS)\/(?:RTP\/SAVPF?|SCTP)$/, "not RTP or SCTP over DTLS"),
  direction: Direction.optional(),
  rtp: list(
    z.object({
      payload: PayloadType,
      codec: token,
      rate: z.int().positive().optional(),
      encoding: z.unknown().optional(),
    }),
  ),
  fmtp: list(z.object({ payload: PayloadType, config: z.string().max(1_024) })),
  rtcpFb: list(z.object({ payload: z.union([PayloadType, z.string()]), type: token, subtype: token.optional() })),
  ext: list(z.object({ value: z.int().min(1).max(255), uri: token, direction: z.string().max(16).optional() })),
  ssrcs: list(z.object({ id: Uint32, attribute: token, value: z.string().max(256).optional() })),
  ssrcGroups: list(z.object({ semantics: token, ssrcs: z.string().max(256) })),
  rids: list(z.object({ id: z.coerce.string().pipe(z.string().regex(/^[A-Za-z0-9_-]{1,16}$/)), direction: token })),
  simulcast: z
    .object({ dir1: token, list1: z.coerce.string(), dir2: token.optional(), list2: z.coerce.string().optional() })
    .optional(),
  iceUfrag: z.coerce.string().optional(),
});

const Session = z.object({
  media: z.array(Media).min(1, "has no m-section").max(MAX_SECTIONS, "has too many m-sections"),
  groups: z.array(z.object({ type: z.string(), mids: z.coerce.string() })).optional(),
  iceUfrag: z.coerce.string().optional(),
});

/** RFC 8122, section 5: a hash as pairs of hexadecimal digits. */
const Fingerprint = z.discriminatedUnion("algorithm", [hash("sha-256", 32), hash("sha-384", 48), hash("sha-512", 64)]);

function hash<T extends types.FingerprintAlgorithm>(algorithm: T, bytes: number) {
  const value = z.string().regex(new RegExp(`^[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){${bytes - 1}}$`));
  return z.object({ algorithm: z.literal(algorithm), value });
}

/** @throws RoomRefusal `bad_message` */
export function readDescription(sdp: string): Description {
  const session = parsed(sdp);
  const checked = Session.safeParse(session);
  if (!checked.success) throw bad(where(checked.error));
  const mids = checked.data.media.map(({ mid }) => mid);
  if (new Set(mids).size < mids.length) throw bad("two m-sections have the same a=mid");
  requireBundle(checked.data);
  return {
    ice: { usernameFragment: usernameFragment(checked.data) },
    dtls: dtlsOf(session),
    sections: checked.data.media.map(({ mid, type, port, direction }, index) => {
      const media = mediaAt(session, index);
      const kind = MediaKind.safeParse(type).data ?? null;
      const isRejected = port === 0 && !isBundleOnly(media);
      // RFC 8866, section 6.7: what does not say is sendrecv.
      return { mid, kind, isRejected, direction: isRejected ? "inactive" : (direction ?? "sendrecv"), media };
    }),
  };
}

function parsed(sdp: string): SessionDescription {
  try {
    return parse(sdp);
  } catch {
    throw bad("is no session description");
  }
}

/** RFC 9143, section 6: in an offer such a section has port 0 and is none the worse. */
function isBundleOnly(media: MediaDescription): boolean {
  return media.bundleOnly !== undefined;
}

function mediaAt(session: SessionDescription, index: number): MediaDescription {
  const media = session.media[index];
  if (!media) throw new Error("the sections were counted");
  return media;
}

function requireBundle({ groups, media }: z.infer<typeof Session>): void {
  const bundled = new Set(groups?.find(({ type }) => type === "BUNDLE")?.mids.split(" "));
  const outside = media.find(({ mid, port }) => port !== 0 && !bundled.has(mid));
  if (outside) throw bad(`the m-section ${outside.mid} is not in the BUNDLE: a room has one transport`);
}

function usernameFragment({ iceUfrag, media }: z.infer<typeof Session>): string {
  const found = iceUfrag ?? media.find((section) => section.iceUfrag !== undefined)?.iceUfrag;
  if (found === undefined) throw bad("has no a=ice-ufrag");
  return found;
}

function dtlsOf(session: SessionDescription): types.DtlsParameters {
  let found: ReturnType<typeof extractDtlsParameters>;
  try {
    found = extractDtlsParameters({ sdpObject: session });
  } catch {
    throw bad("has no a=setup or no a=fingerprint");
  }
  const fingerprints = found.fingerprints.map((given) => {
    const { success, data } = Fingerprint.safeParse(given);
    if (!success) throw bad("a=fingerprint: sha-256, sha-384 or sha-512, in pairs of hexadecimal digits");
    return data;
  });
  // RFC 4145, section 4: what holds its connection has none yet.
  if (found.role === undefined) throw bad("a=setup: actpass, active or passive");
  return { role: found.role, fingerprints };
}

function where(error: z.ZodError): string {
  const [issue] = error.issues;
  const [top, index, ...field] = issue?.path ?? [];
  if (top !== "media" || index === undefined) return issue?.message ?? "is no session description";
  return `m-section ${String(index)}, ${field.join(".")}: ${issue?.message}`;
}

function bad(problem: string): RoomRefusal {
  return new RoomRefusal("bad_message", `sdp: ${problem}`);
}
