/** ISO 8601 in UTC with milliseconds. Pure: the moment is the argument. */
export function isoTimestamp(ms: number): string {
  return new Date(ms).toISOString();
}
