import { parse } from "sdp-transform";
import type { MediaKind } from "../../schema/room.ts";
import { codecsOf, identity } from "./stack-description.ts";

/**
 * A WebRTC stack on paper: it writes session descriptions as browsers do (RFC 8829), in numbers of its own choice,
 * and has no media.
 */

export type Direction = "sendrecv" | "sendonly" | "recvonly" | "inactive";

export interface PaperLine {
  readonly mid: string;
  readonly kind: MediaKind;
  direction: Direction;
  isRejected: boolean;
  /** Of its camera, in rids. */
  readonly layers: readonly string[];
  /** Null: the stack does not write `a=ssrc` (RFC 8829, section 5.2.1). */
  readonly ssrc: number | null;
  /** Of codecs, as agreed on with the SFU. */
  numbers: ReadonlyMap<string, number>;
}

export interface PaperOptions {
  /** What it calls its codecs and extensions, in the order in which it needs them. */
  readonly payloadTypes: readonly number[];
  readonly extensionIds: readonly number[];
  /** The order of its codecs. */
  readonly preference?: readonly number[];
  readonly fingerprint?: string;
  readonly setup?: "actpass" | "active";
}

interface Codec {
  readonly kind: MediaKind;
  /** As in `a=rtpmap`. */
  readonly name: string;
  readonly parameters: string;
}

const CODECS: readonly Codec[] = [
  { kind: "audio", name: "opus/48000/2", parameters: "minptime=10;useinbandfec=1" },
  { kind: "video", name: "VP8/90000", parameters: "" },
  { kind: "video", name: "VP9/90000", parameters: "profile-id=0" },
  {
    kind: "video",
    name: "H264/90000",
    parameters: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
  },
  {
    kind: "video",
    name: "H264/90000",
    parameters: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=640c1f",
  },
  { kind: "video", name: "AV1/90000", parameters: "" },
];

const EXTENSIONS: readonly { readonly uri: string; readonly kinds: readonly MediaKind[] }[] = [
  { uri: "urn:ietf:params:rtp-hdrext:sdes:mid", kinds: ["audio", "video"] },
  { uri: "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time", kinds: ["video"] },
  {
    uri: "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
    kinds: ["audio", "video"],
  },
  { uri: "urn:ietf:params:rtp-hdrext:ssrc-audio-level", kinds: ["audio"] },
  { uri: "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id", kinds: ["video"] },
  { uri: "urn:ietf:params:rtp-hdrext:toffset", kinds: ["video"] },
];

const FINGERPRINT = Array.from({ length: 32 }, (_, index) => index.toString(16).padStart(2, "0").toUpperCase()).join(
  ":",
);
/** Numbers that are left when its own have run out. */
const SPARE_TYPES = Array.from({ length: 64 }, (_, index) => (index < 32 ? 96 + index : 3 + index));
const SPARE_IDS = Array.from({ length: 14 }, (_, index) => index + 1);

export class PaperStack {
  readonly lines: PaperLine[] = [];
  readonly #options: PaperOptions;
  /** What each number means in the one BUNDLE. */
  #types = new Map<number, string>();
  #extensions = new Map<number, string>();
  readonly #codecs: readonly Codec[];
  #ufrag = 0;
  #version = 0;

  constructor(options: PaperOptions) {
    this.#options = options;
    this.#codecs = options.preference?.flatMap((index) => CODECS[index] ?? []) ?? CODECS;
  }

  add(kind: MediaKind, direction: Direction, layers: readonly string[] = [], ssrc: number | null = null): PaperLine {
    const taken = new Set(this.lines.map(({ mid }) => mid));
    const mid =
      Array.from({ length: taken.size + 1 }, (_, index) => String(index)).find((one) => !taken.has(one)) ?? "";
    const line = { mid, kind, direction, isRejected: false, layers, ssrc, numbers: new Map() };
    this.lines.push(line);
    return line;
  }

  restartIce(): void {
    this.#ufrag += 1;
  }

  offer(): string {
    return this.#write(
      this.lines.map((line) =>
        this.#section(
          line,
          this.#codecs.filter(({ kind }) => kind === line.kind),
        ),
      ),
    );
  }

  /** @param directionOf what becomes of a line that the SFU sends on */
  answer(sdp: string, directionOf: (mid: string) => Direction = () => "recvonly"): string {
    this.#learn(sdp);
    const sections = parse(sdp).media.map((media, index) => {
      const mid = String(media.mid);
      const line = this.lines[index] ?? this.#added(mid, media.type === "audio" ? "audio" : "video");
      if (media.port === 0) line.isRejected = true;
      if (media.direction === "sendonly") line.direction = directionOf(mid);
      if (media.direction === "inactive" && line.direction === "recvonly") line.direction = "inactive";
      const codecs = CODECS.filter((codec) => line.numbers.has(identity(codec)));
      const answering = {
        ...line,
        direction: line.isRejected ? "inactive" : answered(line.direction, media.direction),
      };
      return this.#section(answering, codecs, new Set(media.ext?.map(({ uri }) => uri)));
    });
    return this.#write(sections, "active");
  }

  #added(mid: string, kind: MediaKind): PaperLine {
    const line = {
      mid,
      kind,
      direction: "recvonly" as const,
      isRejected: false,
      layers: [],
      ssrc: null,
      numbers: new Map(),
    };
    this.lines.push(line);
    return line;
  }

  /** An offer of the SFU's describes all lines: what its numbers mean holds from now on. */
  #learn(sdp: string): void {
    this.#types = new Map();
    this.#extensions = new Map();
    for (const [index, media] of parse(sdp).media.entries()) {
      const numbers = new Map<string, number>();
      for (const { payload, meaning } of codecsOf(media)) {
        numbers.set(meaning, payload);
        this.#types.set(payload, meaning);
      }
      for (const { value, uri } of media.ext ?? []) this.#extensions.set(value, uri);
      const line = this.lines[index] ?? this.#added(String(media.mid), media.type === "audio" ? "audio" : "video");
      line.numbers = numbers;
    }
  }

  #section(line: PaperLine, codecs: readonly Codec[], answering?: ReadonlySet<string>): string {
    const { mid, kind, direction, isRejected, layers, ssrc } = line;
    const payloads = codecs.flatMap((codec) => {
      const payload = this.#payloadType(line, identity(codec));
      const rtx = kind === "video" && !answering ? this.#payloadType(line, `rtx/90000 apt=${payload}`) : undefined;
      return [
        { payload, ...codec },
        ...(rtx === undefined ? [] : [{ payload: rtx, name: "rtx/90000", parameters: `apt=${payload}` }]),
      ];
    });
    const sends = direction === "sendonly" || direction === "sendrecv";
    return [
      `m=${kind} ${isRejected ? 0 : 9} UDP/TLS/RTP/SAVPF ${payloads.map(({ payload }) => payload).join(" ") || "0"}`,
      "c=IN IP4 0.0.0.0",
      `a=mid:${mid}`,
      `a=${isRejected ? "inactive" : direction}`,
      "a=rtcp-mux",
      ...payloads.flatMap(({ payload, name, parameters }) => [
        `a=rtpmap:${payload} ${name}`,
        ...(parameters ? [`a=fmtp:${payload} ${parameters}`] : []),
      ]),
      ...this.#extensionsOf(kind, answering).map(([id, uri]) => `a=extmap:${id} ${uri}`),
      ...(sends && layers.length > 0
        ? [...layers.map((rid) => `a=rid:${rid} send`), `a=simulcast:send ${layers.join(";")}`]
        : []),
      ...(sends ? [`a=msid:stream-${mid} track-${mid}`] : []),
      ...(sends && ssrc !== null && layers.length === 0 ? [`a=ssrc:${ssrc} cname:paper`] : []),
    ].join("\r\n");
  }

  #payloadType(line: PaperLine, meaning: string): number {
    const agreed = line.numbers.get(meaning);
    if (agreed !== undefined) return agreed;
    const known = [...this.#types].find(([, one]) => one === meaning)?.[0];
    const number = known ?? free([...this.#options.payloadTypes, ...SPARE_TYPES], this.#types);
    this.#types.set(number, meaning);
    return number;
  }

  #extensionsOf(kind: MediaKind, answering?: ReadonlySet<string>): (readonly [number, string])[] {
    return EXTENSIONS.flatMap(({ uri, kinds }) => {
      if (!kinds.includes(kind) || (answering && !answering.has(uri))) return [];
      const known = [...this.#extensions].find(([, one]) => one === uri)?.[0];
      const id = known ?? free([...this.#options.extensionIds, ...SPARE_IDS], this.#extensions);
      this.#extensions.set(id, uri);
      return [[id, uri] as const];
    });
  }

  #write(sections: readonly string[], setup: string = this.#options.setup ?? "actpass"): string {
    this.#version += 1;
    const live = this.lines.filter(({ isRejected }) => !isRejected).map(({ mid }) => mid);
    return [
      "v=0",
      `o=- 1 ${this.#version} IN IP4 127.0.0.1`,
      "s=-",
      "t=0 0",
      `a=group:BUNDLE ${live.join(" ")}`,
      `a=ice-ufrag:paper${this.#ufrag}`,
      "a=ice-pwd:0123456789012345678901",
      `a=fingerprint:sha-256 ${this.#options.fingerprint ?? FINGERPRINT}`,
      `a=setup:${setup}`,
      ...sections,
      "",
    ].join("\r\n");
  }
}

function answered(ours: Direction, theirs: string | undefined): Direction {
  const sends = ours.startsWith("send") && (theirs === "recvonly" || theirs === "sendrecv");
  const receives =
    ours.endsWith("recv") || ours === "recvonly" ? theirs === "sendonly" || theirs === "sendrecv" : false;
  if (sends) return receives ? "sendrecv" : "sendonly";
  return receives ? "recvonly" : "inactive";
}

function free(numbers: readonly number[], taken: ReadonlyMap<number, string>): number {
  const found = numbers.find((number) => !taken.has(number));
  if (found === undefined) throw new Error("the numbers of the paper stack have run out");
  return found;
}
