import type { IceCandidate } from "../../schema/client-messages.ts";
import { CANDIDATE_KEPT_MS, MAX_CANDIDATES } from "../../schema/limits.ts";

/**
 * The candidates of one device (RFC 8838): each is forwarded once, and those gathered before the
 * answer wait for the device that wins. Pure.
 */
export interface IceBuffer {
  /** Of the present generation, or of which none is known: so that a repeated candidate is dropped. */
  readonly seen: readonly Seen[];
  /** By m-section: the latest is the present one. What comes of an earlier one is too late. */
  readonly generations: Readonly<Record<string, readonly string[]>>;
  readonly waiting: readonly Waiting[];
  /** Candidates that the peer has, and that are good no more. */
  readonly removed: readonly IceCandidate[];
  /** The device has said that no more will come, and its peer has not heard it. */
  readonly ended: boolean;
}

interface Seen {
  readonly fingerprint: string;
  readonly section: string;
}

interface Waiting extends Seen {
  readonly candidate: IceCandidate;
  readonly at: number;
}

export interface Marked {
  readonly candidate: IceCandidate;
  readonly fingerprint: string;
}

export interface Gathered {
  readonly candidates: readonly Marked[];
  readonly removed: readonly Marked[];
  readonly endOfCandidates: boolean;
}

/** Of candidates that name no generation: repetitions come soon after. */
const MAX_SEEN = 2 * MAX_CANDIDATES;
/** Restarts are 5 a minute at most, and a late candidate is seconds late. */
const MAX_GENERATIONS = 8;
/** An offer of a camera, a microphone and a screen has three. */
const MAX_SECTIONS = 16;

export const EMPTY: IceBuffer = { seen: [], generations: {}, waiting: [], removed: [], ended: false };

/** Takes in what is new; beyond the limit the rest is dropped, for ICE works with what it has. */
export function admit(buffer: IceBuffer, { candidates, removed, endOfCandidates }: Gathered, now: number): IceBuffer {
  const without = removed.reduce(remove, buffer);
  const after = candidates.reduce((is, marked) => add(is, marked, now), without);
  return { ...after, seen: after.seen.slice(-MAX_SEEN), ended: after.ended || endOfCandidates };
}

function add(before: IceBuffer, { candidate, fingerprint }: Marked, now: number): IceBuffer {
  const section = sectionOf(candidate);
  const generation = generationOf(candidate);
  if (isFormer(before, section, generation)) return before;
  const buffer = generation === null ? before : began(before, section, generation);
  const ofGeneration = generation === null ? buffer.waiting.length : buffer.seen.length;
  if (ofGeneration >= MAX_CANDIDATES || buffer.seen.some((seen) => seen.fingerprint === fingerprint)) return buffer;
  const seen = { fingerprint, section };
  return {
    ...buffer,
    seen: [...buffer.seen, seen],
    waiting: [...buffer.waiting, { ...seen, candidate, at: now }],
  };
}

/** What the peer has not heard of it never does; a candidate that has gone may come back. */
function remove(buffer: IceBuffer, { candidate, fingerprint }: Marked): IceBuffer {
  const isWaiting = buffer.waiting.some((entry) => entry.fingerprint === fingerprint);
  const isKnown = buffer.seen.some((entry) => entry.fingerprint === fingerprint);
  if (!isKnown) return buffer;
  return {
    ...buffer,
    seen: buffer.seen.filter((entry) => entry.fingerprint !== fingerprint),
    waiting: buffer.waiting.filter((entry) => entry.fingerprint !== fingerprint),
    removed: isWaiting ? buffer.removed : [...buffer.removed, candidate],
  };
}

function isFormer({ generations }: IceBuffer, section: string, generation: string | null): boolean {
  return generation !== null && (generations[section] ?? []).slice(0, -1).includes(generation);
}

/** An ICE restart (RFC 8445, section 9): what was gathered before it is of no use. */
function began(buffer: IceBuffer, section: string, generation: string): IceBuffer {
  const known = buffer.generations[section];
  if (known?.at(-1) === generation) return buffer;
  if (!known && Object.keys(buffer.generations).length >= MAX_SECTIONS) return buffer;
  const generations = { ...buffer.generations, [section]: [...(known ?? []), generation].slice(-MAX_GENERATIONS) };
  const isOther = (entry: Seen) => entry.section !== section;
  return {
    ...buffer,
    generations,
    seen: buffer.seen.filter(isOther),
    waiting: buffer.waiting.filter(isOther),
    removed: [],
    ended: false,
  };
}

function sectionOf({ sdpMid, sdpMLineIndex }: IceCandidate): string {
  return sdpMid ?? String(sdpMLineIndex ?? "");
}

/** As W3C WebRTC names it, or as the candidate itself does (RFC 8839, section 5.1: an extension). */
function generationOf({ usernameFragment, candidate }: IceCandidate): string | null {
  return usernameFragment ?? / ufrag (\S{1,256})/.exec(candidate)?.[1] ?? null;
}

/** What a peer gets now, and the buffer without it. Candidates too old to be of use are dropped. */
export function take(buffer: IceBuffer, now: number): { buffer: IceBuffer; batch: IceBatch | null } {
  const candidates = buffer.waiting
    .filter((entry) => now - entry.at < CANDIDATE_KEPT_MS)
    .map((entry) => entry.candidate);
  const removed = [...buffer.removed];
  const isEmpty = candidates.length === 0 && removed.length === 0 && !buffer.ended;
  const batch = {
    candidates,
    ...(removed.length > 0 && { removed }),
    ...(buffer.ended && { endOfCandidates: true as const }),
  };
  return { buffer: { ...buffer, waiting: [], removed: [], ended: false }, batch: isEmpty ? null : batch };
}

export interface IceBatch {
  readonly candidates: IceCandidate[];
  readonly removed?: IceCandidate[];
  readonly endOfCandidates?: true;
}
