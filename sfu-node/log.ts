/** One JSON line per transition of the node's life. Never a key, never what a user sent. */
export type Log = (event: string, fields?: Readonly<Record<string, string | number | boolean>>) => void;

export const log: Log = (event, fields = {}) => {
  console.log(JSON.stringify({ event, ...fields }));
};

/** Enough of an id to follow it through a log, not enough to act in its name. */
export function short(id: string): string {
  return id.slice(-8);
}

/** What went wrong, without the stack. */
export function problem(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
