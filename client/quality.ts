/** Whether the connection carries a call well. Pure: samples are arguments. */

export interface QualitySample {
  /** Packets received and lost so far, over all incoming streams. */
  readonly received: number;
  readonly lost: number;
  /** Share of our packets that the peer has lost lately, 0 to 1. */
  readonly peerLoss: number;
  /** Round trip in ms. */
  readonly rttMs: number;
}

export interface Quality {
  readonly isPoor: boolean;
  /** Samples in a row that speak against the present verdict. */
  readonly against: number;
  readonly last: QualitySample | null;
}

export const GOOD: Quality = { isPoor: false, against: 0, last: null };

/** Above this share of lost packets speech breaks up, even with concealment. */
const MAX_LOSS = 0.08;
/** Above this people start to talk over each other. */
const MAX_RTT_MS = 500;
/** Quick to warn, slow to take it back: a hint that flickers is worse than a late one. */
const BAD_TO_WARN = 2;
const GOOD_TO_CLEAR = 4;

export function judge(quality: Quality, sample: QualitySample): Quality {
  const isBad = loss(quality.last, sample) > MAX_LOSS || sample.rttMs > MAX_RTT_MS;
  if (isBad === quality.isPoor) return { ...quality, against: 0, last: sample };
  const against = quality.against + 1;
  const turns = against >= (isBad ? BAD_TO_WARN : GOOD_TO_CLEAR);
  return turns ? { isPoor: isBad, against: 0, last: sample } : { ...quality, against, last: sample };
}

function loss(last: QualitySample | null, sample: QualitySample): number {
  const lost = Math.max(0, sample.lost - (last?.lost ?? 0));
  const total = lost + Math.max(0, sample.received - (last?.received ?? 0));
  return Math.max(sample.peerLoss, total === 0 ? 0 : lost / total);
}
