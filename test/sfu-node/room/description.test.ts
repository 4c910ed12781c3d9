import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_ROOM_SDP } from "../../../schema/limits.ts";
import { parseToNode } from "../../../schema/room-socket.ts";
import { readDescription } from "../../../sfu-node/room/description.ts";
import { RoomRefusal } from "../../../sfu-node/room/refusal.ts";
import { mutated, mutations } from "../../support/stack-hostile.ts";
import { PaperStack } from "../../support/stack-paper.ts";

const SEED = 20_261_130;
const FINGERPRINT = "sdp: a=fingerprint: sha-256, sha-384 or sha-512, in pairs of hexadecimal digits";

function offer(): string {
  const stack = new PaperStack({ payloadTypes: [96, 97, 98], extensionIds: [1, 2, 3] });
  stack.add("audio", "sendrecv", [], 1_234);
  stack.add("video", "sendonly", ["q", "h", "f"]);
  return stack.offer();
}

/** As a client would be told. */
function refusal(sdp: string): string {
  try {
    readDescription(sdp);
  } catch (error) {
    expect(error).toBeInstanceOf(RoomRefusal);
    return error instanceof RoomRefusal ? `${error.code} ${error.message}` : "";
  }
  return "none";
}

describe("a client's description", () => {
  const good = offer();

  it("is read as far as a room needs it", () => {
    const { ice, dtls, sections } = readDescription(good);
    expect(ice).toEqual({ usernameFragment: "paper0" });
    expect(dtls.role).toBe("auto");
    expect(dtls.fingerprints).toHaveLength(1);
    expect(sections.map(({ mid, kind, direction, isRejected }) => ({ mid, kind, direction, isRejected }))).toEqual([
      { mid: "0", kind: "audio", direction: "sendrecv", isRejected: false },
      { mid: "1", kind: "video", direction: "sendonly", isRejected: false },
    ]);
  });

  it("may leave out what RFC 8866 has a meaning for, have its ICE and DTLS in an m-section, and end its lines with LF", () => {
    const lines = good.split("\r\n").filter((line) => line !== "a=sendrecv");
    const ofSession = lines.filter((line) => /^a=(?:ice|fingerprint|setup)/.test(line));
    const rest = lines.filter((line) => !ofSession.includes(line));
    const inside = rest.flatMap((line) => (line === "a=mid:0" ? [line, ...ofSession] : [line])).join("\n");
    expect(readDescription(inside).sections[0]?.direction).toBe("sendrecv");
  });

  it("rejects a line with a port of 0, unless that line is bundle-only (RFC 9143, section 6)", () => {
    const ports = (line: string) => readDescription(good.replace("m=video 9", line)).sections[1];
    expect(ports("m=video 0")).toMatchObject({ isRejected: true, direction: "inactive" });
    const bundleOnly = good.replace("m=video 9", "m=video 0").replace("a=mid:1", "a=mid:1\r\na=bundle-only");
    expect(readDescription(bundleOnly).sections[1]).toMatchObject({ isRejected: false, direction: "sendonly" });
  });

  it.each<[string, (sdp: string) => string, string]>([
    ["is empty", () => "", "sdp: has no m-section"],
    ["is no description", () => "hello", "sdp: has no m-section"],
    ["is JSON", () => '{"type":"offer"}', "sdp: has no m-section"],
    ["has no m-section", (sdp) => sdp.slice(0, sdp.indexOf("m=")), "sdp: has no m-section"],
    ["has an m-section without a=mid", without("a=mid:0"), "sdp: m-section 0, mid: 1 to 16 characters of an SDP token"],
    ["has the same a=mid twice", put("a=mid:1", "a=mid:0"), "sdp: two m-sections have the same a=mid"],
    [
      "has a mid that is too long",
      put("a=mid:1", `a=mid:${"m".repeat(17)}`),
      "sdp: m-section 1, mid: 1 to 16 characters of an SDP token",
    ],
    ["has no a=ice-ufrag", without("a=ice-ufrag:paper0"), "sdp: has no a=ice-ufrag"],
    [
      "has no a=fingerprint",
      (sdp) => sdp.replace(/a=fingerprint.*\r\n/, ""),
      "sdp: has no a=setup or no a=fingerprint",
    ],
    ["has no a=setup", without("a=setup:actpass"), "sdp: has no a=setup or no a=fingerprint"],
    [
      "has an a=setup of its own",
      put("a=setup:actpass", "a=setup:perhaps"),
      "sdp: a=setup: actpass, active or passive",
    ],
    ["has a fingerprint of SHA-1", put("a=fingerprint:sha-256", "a=fingerprint:sha-1"), FINGERPRINT],
    ["has a fingerprint that is cut short", put(":1E:1F", ""), FINGERPRINT],
    ["has a fingerprint of another hash's length", put("a=fingerprint:sha-256", "a=fingerprint:sha-512"), FINGERPRINT],
    ["has a fingerprint of other letters", put(":1E:1F", ":1E:XY"), FINGERPRINT],
    [
      "is not bundled",
      (sdp) => sdp.replace(/a=group.*\r\n/, ""),
      "sdp: the m-section 0 is not in the BUNDLE: a room has one transport",
    ],
    [
      "bundles a part of it",
      put("BUNDLE 0 1", "BUNDLE 0"),
      "sdp: the m-section 1 is not in the BUNDLE: a room has one transport",
    ],
    ["is not encrypted", put("UDP/TLS/RTP/SAVPF", "RTP/AVP"), "sdp: m-section 0, protocol: not RTP or SCTP over DTLS"],
    [
      "is keyed by SDES",
      put("UDP/TLS/RTP/SAVPF", "RTP/SAVPF"),
      "sdp: m-section 0, protocol: not RTP or SCTP over DTLS",
    ],
    [
      "carries what is no media",
      put("m=video", "m=message"),
      'sdp: m-section 1, type: Invalid option: expected one of "audio"|"video"|"application"',
    ],
    [
      "has a port that is none",
      put("m=video 9", "m=video 99999"),
      "sdp: m-section 1, port: Too big: expected number to be <=65535",
    ],
    [
      "has a payload type that is none",
      put("a=rtpmap:96 ", "a=rtpmap:960 "),
      "sdp: m-section 0, rtp.0.payload: Too big: expected number to be <=127",
    ],
    [
      "has an extension id of 0",
      put("a=extmap:1 ", "a=extmap:0 "),
      "sdp: m-section 0, ext.0.value: Too small: expected number to be >=1",
    ],
    [
      "has an SSRC that is none",
      put("a=ssrc:1234 ", "a=ssrc:99999999999 "),
      "sdp: m-section 0, ssrcs.0.id: Too big: expected number to be <=4294967295",
    ],
    ["has NUL bytes", put("a=mid:1", "a=mid:1\0"), "sdp: m-section 1, mid: 1 to 16 characters of an SDP token"],
    ["has too many m-sections", (sdp) => sdp + sections(300), "sdp: has too many m-sections"],
    [
      "has too many codecs",
      (sdp) => sdp + repeated("a=rtpmap:96 VP8/90000"),
      "sdp: m-section 1, rtp: Too big: expected array to have <=256 items",
    ],
    [
      "has too many SSRCs",
      (sdp) => sdp + repeated("a=ssrc:1 cname:x"),
      "sdp: m-section 1, ssrcs: Too big: expected array to have <=256 items",
    ],
  ])("is refused if it %s", (_title, change, message) => {
    expect(change(good)).not.toBe(good);
    expect(refusal(change(good))).toBe(`bad_message ${message}`);
  });

  it("of 1 MB does not come as far as being read", () => {
    const about = { type: "participant_offer", id: "1", participantId: "p1", tracks: [] };
    expect(parseToNode(JSON.stringify({ ...about, sdp: good }))).toBeDefined();
    expect(parseToNode(JSON.stringify({ ...about, sdp: good.padEnd(1_000_000, "a=x\r\n") }))).toBeUndefined();
  });

  it("is read in no time, whatever it is: no line of it takes long to match", () => {
    const openings = [
      "a=candidate:",
      "a=ssrc:1 ",
      "a=msid:",
      "a=rid:q send ",
      "a=simulcast:send ",
      "a=fmtp:96 ",
      "a=extmap:1 ",
      "a=rtcp-fb:96 ",
      "a=group:",
      "a=imageattr:96 ",
      "m=video 9 ",
      "o=",
      "c=",
      "a=",
    ];
    for (const opening of openings) {
      for (const filling of [" ", "a", "0 ", "a=", ";", "1 x 2 y ", "[x=1] "]) {
        const sdp = `${good}${opening}${filling.repeat(MAX_ROOM_SDP / filling.length)}`.slice(0, MAX_ROOM_SDP);
        const started = performance.now();
        refusal(sdp);
        expect(performance.now() - started, `${opening}${filling}`).toBeLessThan(500);
      }
    }
  });

  it("is understood or refused with a reason, whatever of it is changed", () => {
    fc.assert(
      fc.property(mutations, (changes) => {
        expect(refusal(mutated(good, changes))).toMatch(/^none$|^bad_message sdp: .{5,}/);
      }),
      { seed: SEED, numRuns: 3_000 },
    );
  });
});

function put(found: string, other: string): (sdp: string) => string {
  return (sdp) => sdp.replace(found, other);
}

function without(line: string): (sdp: string) => string {
  return put(`${line}\r\n`, "");
}

function repeated(line: string): string {
  return `${line}\r\n`.repeat(257);
}

function sections(count: number): string {
  return Array.from({ length: count }, (_, index) => `m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:m${index}\r\n`).join("");
}
