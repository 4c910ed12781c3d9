import type { IceCandidate } from "../../schema/client-messages.ts";
import { CANDIDATE_KEPT_MS, MAX_CANDIDATES } from "../../schema/limits.ts";

/**
 * The candidates of one device (RFC 8838): each is forwarded once, and those gathered before the
 * answer wait for the device that wins. Pure.
 */
export interface IceBuffer {
  /** Fingerprints of what has come, so that a repeated candidate is dropped. */
  readonly seen: readonly string[];
  readonly waiting: readonly { readonly candidate: IceCandidate; readonly at: number }[];
  /** The device has said that no more will come, and its peer has not heard it. */
  readonly ended: boolean;
}

export interface Gathered {
  readonly candidates: readonly { readonly candidate: IceCandidate; readonly fingerprint: string }[];
  readonly endOfCandidates: boolean;
}

/** Repetitions come soon after; each ICE restart brings new candidates, for as long as the call lasts. */
const MAX_SEEN = 2 * MAX_CANDIDATES;

export const EMPTY: IceBuffer = { seen: [], waiting: [], ended: false };

/** Takes in what is new; beyond the limit the rest is dropped, for ICE works with what it has. */
export function admit(buffer: IceBuffer, gathered: Gathered, now: number): IceBuffer {
  const seen = [...buffer.seen];
  const waiting = [...buffer.waiting];
  for (const { candidate, fingerprint } of gathered.candidates) {
    if (waiting.length >= MAX_CANDIDATES || seen.includes(fingerprint)) continue;
    seen.push(fingerprint);
    waiting.push({ candidate, at: now });
  }
  return { seen: seen.slice(-MAX_SEEN), waiting, ended: buffer.ended || gathered.endOfCandidates };
}

/** What a peer gets now, and the buffer without it. Candidates too old to be of use are dropped. */
export function take(buffer: IceBuffer, now: number): { buffer: IceBuffer; batch: IceBatch | null } {
  const candidates = buffer.waiting
    .filter((entry) => now - entry.at < CANDIDATE_KEPT_MS)
    .map((entry) => entry.candidate);
  const empty = candidates.length === 0 && !buffer.ended;
  return {
    buffer: { seen: buffer.seen, waiting: [], ended: false },
    batch: empty ? null : { candidates, ...(buffer.ended && { endOfCandidates: true }) },
  };
}

export interface IceBatch {
  readonly candidates: IceCandidate[];
  readonly endOfCandidates?: true;
}
