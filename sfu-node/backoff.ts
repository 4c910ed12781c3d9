const FIRST_MS = 500;
/** Longer leaves a node that is well out of the fleet after its edge is back. */
const LONGEST_MS = 15_000;

/**
 * How long to wait before the next try: doubled with each one that failed, and spread over its second
 * half, so that a fleet that lost its edge at once does not come back at once.
 * @param failures tries that failed before this one
 * @param jitter 0 to 1
 */
export function retryDelayMs(failures: number, jitter: number): number {
  const longest = Math.min(LONGEST_MS, FIRST_MS * 2 ** failures);
  return Math.round(longest / 2 + (longest / 2) * jitter);
}
