import type { IceCandidate } from "../../schema/client-messages.ts";
import { MAX_CANDIDATE, MAX_CANDIDATES } from "../../schema/limits.ts";

/**
 * An offer rings with people who have not accepted, so it must not say where the caller is: the candidates that it holds
 * (RFC 8839, 5.1) wait as those do that come one by one. Pure.
 */

const LINE_END = /\r\n|\r|\n/;
const CANDIDATE = /^a=(candidate:.*)$/;
const HAS_CANDIDATES = /^a=candidate:/m;
const HELD_BACK = /^a=(?:candidate:[^\r\n]*|end-of-candidates)(?:\r\n|\r|\n|$)/gm;
const END = /^a=end-of-candidates\r?$/m;
/** Of whoever made the offer, of a connection, and of its RTCP (RFC 3605): none of them is used where ICE is. */
const ADDRESS = /^(o=.*|c=|a=rtcp:\d+ )(IN IP[46]) ([^\s/]+)/gm;
/** What stands where there is no address (RFC 8839, 4.3.1), and what a browser says in `o=`. */
const NOWHERE = /^(?:0\.0\.0\.0|127\.0\.0\.1|::1?)$/;

/** What rings: the offer without addresses, else byte for byte. One without candidates has none to tell. */
export function ringable(sdp: string): string {
  if (!HAS_CANDIDATES.test(sdp)) return sdp;
  return sdp.replace(HELD_BACK, "").replace(ADDRESS, (line, before: string, net: string, address: string) => {
    if (NOWHERE.test(address)) return line;
    return `${before}${net} ${net === "IN IP4" ? "0.0.0.0" : "::"}`;
  });
}

/** What waits for the answer, as the caller's stack would have said it in a message of its own. */
export function heldBack(sdp: string): { candidates: IceCandidate[]; endOfCandidates: boolean } {
  const [session = [], ...media] = sections(sdp.split(LINE_END));
  const ofSession = attribute(session, "a=ice-ufrag:");
  const found = media.flatMap((lines, sdpMLineIndex) => {
    const sdpMid = attribute(lines, "a=mid:") ?? null;
    const usernameFragment = attribute(lines, "a=ice-ufrag:") ?? ofSession;
    const named = { sdpMid, sdpMLineIndex, ...(usernameFragment !== undefined && { usernameFragment }) };
    return lines.flatMap((line) => {
      const candidate = CANDIDATE.exec(line)?.[1];
      return candidate ? [{ candidate, ...named }] : [];
    });
  });
  const candidates = found.filter(({ candidate }) => candidate.length <= MAX_CANDIDATE).slice(0, MAX_CANDIDATES);
  return { candidates, endOfCandidates: END.test(sdp) };
}

/** The session's lines, and those of each media section. */
function sections(lines: readonly string[]): string[][] {
  const found: string[][] = [[]];
  for (const line of lines) {
    if (line.startsWith("m=")) found.push([]);
    found.at(-1)?.push(line);
  }
  return found;
}

function attribute(lines: readonly string[], name: string): string | undefined {
  return lines
    .find((line) => line.startsWith(name))
    ?.slice(name.length)
    .trim();
}
