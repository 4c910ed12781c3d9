import fc from "fast-check";

/** What somebody hostile, or broken, does to a description. */
export type Mutation =
  | { readonly type: "drop" | "repeat" | "cut"; readonly line: number }
  | { readonly type: "swap"; readonly line: number; readonly with: number }
  | { readonly type: "insert"; readonly line: number; readonly text: string }
  | { readonly type: "overwrite"; readonly line: number; readonly at: number; readonly text: string };

const place = fc.nat(200);
const text = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.constantFrom(
    "\0",
    " ",
    "-1",
    "4294967296",
    "99999999999999999999",
    "a=mid:0",
    "a=mid:__proto__",
    "a=mid:constructor",
    "a=rid:x send",
    "a=simulcast:send x;y",
    "a=simulcast:recv",
    "a=ssrc-group:SIM 1 2 3 4",
    "a=ssrc-group:FID 1",
    "a=ssrc:1 cname:x",
    "a=rtpmap:96 rtx/90000",
    "a=fmtp:96 apt=96",
    "a=fmtp:96 __proto__=1;constructor=2",
    "a=extmap:15 urn:ietf:params:rtp-hdrext:sdes:mid",
    "a=group:BUNDLE",
    "a=inactive",
    "a=bundle-only",
    "a=setup:holdconn",
    "m=audio 0 UDP/TLS/RTP/SAVPF",
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
    "m=video 9 UDP/TLS/RTP/SAVPF 96",
    "m=",
  ),
);

export const mutations: fc.Arbitrary<readonly Mutation[]> = fc.array(
  fc.oneof(
    fc.record({ type: fc.constantFrom("drop" as const, "repeat" as const, "cut" as const), line: place }),
    fc.record({ type: fc.constant("swap" as const), line: place, with: place }),
    fc.record({ type: fc.constant("insert" as const), line: place, text }),
    fc.record({ type: fc.constant("overwrite" as const), line: place, at: fc.nat(60), text }),
  ),
  { minLength: 1, maxLength: 4 },
);

export function mutated(sdp: string, changes: readonly Mutation[]): string {
  const lines = sdp.split("\r\n");
  for (const change of changes) {
    const at = change.line % (lines.length || 1);
    const line = lines[at] ?? "";
    switch (change.type) {
      case "drop":
        lines.splice(at, 1);
        break;
      case "repeat":
        lines.splice(at, 0, line);
        break;
      case "cut":
        lines.splice(at);
        break;
      case "swap": {
        const other = change.with % (lines.length || 1);
        lines.splice(at, 1, lines[other] ?? "");
        lines.splice(other, 1, line);
        break;
      }
      case "insert":
        lines.splice(at, 0, change.text);
        break;
      case "overwrite":
        lines.splice(at, 1, line.slice(0, change.at) + change.text + line.slice(change.at + change.text.length));
        break;
    }
  }
  return lines.join("\r\n");
}
