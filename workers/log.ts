/**
 * One JSON line per meaningful transition. Ids are cut to their last 8 digits: enough to follow a call through a
 * log, not enough to act in it. The first ones of a call's id are the time, which many share.
 */
export function log(event: string, fields: Readonly<Record<string, string | number | boolean | null>> = {}): void {
  console.log(JSON.stringify({ event, ...fields }));
}

export function short(id: string): string {
  return id.slice(-8);
}

/** The kind of a failure, without its message: that may hold what a user wrote. */
export function failure(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}
