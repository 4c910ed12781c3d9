/** What so many in a minute have not mended, one more will not: it only loads the signalling and the relays. */
const MAX_RESTARTS = 5;
const WINDOW_MS = 60_000;

/**
 * Whether ICE may be restarted once more. Pure.
 * @param past when it was, in Unix ms
 * @returns the same with this time; null where it may not be
 */
export function admitRestart(past: readonly number[], now: number): readonly number[] | null {
  const recent = past.filter((at) => now - at < WINDOW_MS);
  return recent.length < MAX_RESTARTS ? [...recent, now] : null;
}
