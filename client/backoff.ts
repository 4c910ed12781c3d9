const FIRST_MS = 250;
/** The server waits 10 s for a caller that dropped while ringing: two attempts must fit. */
const CAP_MS = 5_000;

/**
 * Exponential back-off with full jitter: after a deploy all clients come back at once, and only a
 * spread over the whole interval keeps them apart.
 * @param attempt failed attempts so far, from 0
 * @param random in [0, 1)
 * @returns ms to wait, under 5 s
 */
export function nextRetryDelayMs(attempt: number, random: number): number {
  return Math.floor(random * Math.min(CAP_MS, FIRST_MS * 2 ** attempt));
}
