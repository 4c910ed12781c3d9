/**
 * Who speaks loudest in a room. Pure: a level is the linear amplitude of 0 to 1, sampled every 100 ms of each
 * participant; what counts is the mean of the last five.
 */
export interface Speakers {
  readonly levels: ReadonlyMap<string, readonly number[]>;
  /** Null until somebody has spoken. */
  readonly dominant: string | null;
}

export const SAMPLE_MS = 100;
const SAMPLES = 5;
/** -40 dBov: what is softer is a room, not a voice. */
const SILENCE = 0.01;

export const NOBODY_SPEAKS: Speakers = { levels: new Map(), dominant: null };

/** @param sampled the level of everybody who was heard since the last sample; of the others it is 0 */
export function sample({ levels, dominant }: Speakers, sampled: ReadonlyMap<string, number>): Speakers {
  const next = new Map<string, readonly number[]>();
  for (const id of new Set([...levels.keys(), ...sampled.keys()])) {
    const recent = [...(levels.get(id) ?? []), sampled.get(id) ?? 0].slice(-SAMPLES);
    if (recent.some((level) => level > 0)) next.set(id, recent);
  }
  return { levels: next, dominant: loudest(next, dominant) };
}

export function gone({ levels, dominant }: Speakers, id: string): Speakers {
  const kept = new Map(levels);
  kept.delete(id);
  return { levels: kept, dominant: dominant === id ? null : dominant };
}

/** Whoever spoke last stays dominant in the silence, and where two are equally loud. */
function loudest(levels: ReadonlyMap<string, readonly number[]>, dominant: string | null): string | null {
  let found = dominant;
  let loudness = mean(levels.get(dominant ?? ""));
  for (const [id, recent] of levels) {
    const level = mean(recent);
    if (level < SILENCE || level <= loudness) continue;
    found = id;
    loudness = level;
  }
  return found;
}

/** What was not heard yet was silent: one loud click is no speech. */
function mean(recent: readonly number[] = []): number {
  return recent.reduce((sum, level) => sum + level, 0) / SAMPLES;
}
