import { describe, expect, test } from "vitest";
import { heldBack, ringable } from "../../../workers/call/offer.ts";

/** As a browser writes one when it has gathered everything: the default candidates stand in `c=` and `a=rtcp` too. */
const WHOLE = [
  "v=0",
  "o=- 4611731400430051336 2 IN IP4 192.168.1.5",
  "s=-",
  "t=0 0",
  "a=ice-ufrag:sess",
  "m=audio 50000 UDP/TLS/RTP/SAVPF 111",
  "c=IN IP4 198.51.100.7",
  "a=rtcp:50001 IN IP4 198.51.100.7",
  "a=candidate:1 1 udp 2122260223 192.168.1.5 50000 typ host generation 0",
  "a=candidate:2 1 udp 1686052607 198.51.100.7 50000 typ srflx raddr 192.168.1.5 rport 50000",
  "a=ice-ufrag:abcd",
  "a=mid:audio",
  "a=end-of-candidates",
  "m=video 50002 UDP/TLS/RTP/SAVPF 96",
  "c=IN IP6 2001:db8::5",
  "a=candidate:3 1 udp 2122262783 2001:db8::5 50002 typ host",
  "a=candidate:4 1 udp 41885695 203.0.113.2 60000 typ relay raddr 198.51.100.7 rport 50000",
  "a=mid:video",
  "",
];

describe.each([
  ["CRLF", "\r\n"],
  ["LF", "\n"],
])("[ICE-6] an offer with candidates, in lines that end with %s", (_name, end) => {
  test("rings without them and without addresses, else byte for byte", () => {
    const expected = [
      "v=0",
      "o=- 4611731400430051336 2 IN IP4 0.0.0.0",
      "s=-",
      "t=0 0",
      "a=ice-ufrag:sess",
      "m=audio 50000 UDP/TLS/RTP/SAVPF 111",
      "c=IN IP4 0.0.0.0",
      "a=rtcp:50001 IN IP4 0.0.0.0",
      "a=ice-ufrag:abcd",
      "a=mid:audio",
      "m=video 50002 UDP/TLS/RTP/SAVPF 96",
      "c=IN IP6 ::",
      "a=mid:video",
      "",
    ];
    expect(ringable(WHOLE.join(end))).toBe(expected.join(end));
  });

  test("says its candidates one by one, each with where it belongs", () => {
    const { candidates, endOfCandidates } = heldBack(WHOLE.join(end));
    expect(endOfCandidates).toBe(true);
    expect(candidates).toEqual([
      {
        candidate: "candidate:1 1 udp 2122260223 192.168.1.5 50000 typ host generation 0",
        sdpMid: "audio",
        sdpMLineIndex: 0,
        usernameFragment: "abcd",
      },
      {
        candidate: "candidate:2 1 udp 1686052607 198.51.100.7 50000 typ srflx raddr 192.168.1.5 rport 50000",
        sdpMid: "audio",
        sdpMLineIndex: 0,
        usernameFragment: "abcd",
      },
      {
        candidate: "candidate:3 1 udp 2122262783 2001:db8::5 50002 typ host",
        sdpMid: "video",
        sdpMLineIndex: 1,
        usernameFragment: "sess",
      },
      {
        candidate: "candidate:4 1 udp 41885695 203.0.113.2 60000 typ relay raddr 198.51.100.7 rport 50000",
        sdpMid: "video",
        sdpMLineIndex: 1,
        usernameFragment: "sess",
      },
    ]);
  });
});

test.each([
  [
    "a browser's that trickles",
    "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\nm=audio 9 RTP 0\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n",
  ],
  ["one that names an address all the same", "v=0\r\no=- 1 2 IN IP4 198.51.100.7\r\nc=IN IP4 198.51.100.7\r\n"],
  ["no SDP at all", "offer \u2028 \u{1f600}"],
])("[ICE-6] an offer without candidates rings byte for byte: %s", (_title, sdp) => {
  expect(ringable(sdp)).toBe(sdp);
  expect(heldBack(sdp)).toEqual({ candidates: [], endOfCandidates: false });
});

test("[ICE-6] of too many candidates, and those that are too long, none rings", () => {
  const lines = Array.from({ length: 70 }, (_, i) => `a=candidate:${i} 1 udp 1 192.168.1.${i} 9 typ host`);
  const sdp = ["v=0", "m=audio 9 RTP 0", ...lines, `a=candidate:${"x".repeat(2_000)}`, "a=mid:0"].join("\r\n");
  expect(ringable(sdp)).toBe("v=0\r\nm=audio 9 RTP 0\r\na=mid:0");
  expect(heldBack(sdp).candidates).toHaveLength(64);
});
