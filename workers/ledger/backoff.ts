/** Longer, and history would come back late after an outage. */
const MAX_SECONDS = 60;

/** How often an event is tried that Postgres refuses for its content: the mistake may also be ours, and mended soon. */
export const MAX_REFUSALS = 5;

/**
 * Seconds until an event is tried again while the database does not answer.
 * @param base seconds, 0 for none
 * @param attempts deliveries so far, 1 for the first
 */
export function outageDelay(base: number, attempts: number): number {
  return Math.min(MAX_SECONDS, base * 2 ** attempts);
}

/**
 * Seconds until an event that was refused is tried again. All the tries together last some minutes, as long as it
 * takes to take back a deploy.
 * @param refusals so far, 1 for the first
 */
export function refusalDelay(base: number, refusals: number): number {
  return outageDelay(base, refusals + 2);
}

/** LEDGER_BACKOFF_SECONDS as a number; what is none is the default. */
export function backoffBase(setting: string): number {
  const seconds = Number.parseFloat(setting);
  return seconds >= 0 ? seconds : 2;
}
