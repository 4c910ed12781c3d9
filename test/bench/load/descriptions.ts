import type { IceCandidate } from "../../../schema/client-messages.ts";

/** About what a browser's offer of sound and picture weighs. */
const SDP_LENGTH = 2_048;
const LINE = "a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 transport-cc\r\n";

export const SDP = `v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\n${LINE.repeat(100)}`.slice(0, SDP_LENGTH);

/** Each device gathers this many: host addresses at once, reflexive and relayed ones when servers have answered. */
export const CANDIDATES = 10;
const AT_ONCE = 6;

const all = Array.from({ length: CANDIDATES }, (_, index) => candidate(index));
export const FIRST_CANDIDATES = all.slice(0, AT_ONCE);
export const LATER_CANDIDATES = all.slice(AT_ONCE);

function candidate(index: number): IceCandidate {
  const port = 50_000 + index;
  return {
    candidate: `candidate:${842_163_049 + index} 1 udp 1677729535 203.0.113.${index + 1} ${port} typ srflx raddr 192.0.2.${index + 1} rport ${port} generation 0 ufrag bXkx network-cost 999`,
    sdpMid: "0",
    sdpMLineIndex: 0,
    usernameFragment: "bXkx",
  };
}
