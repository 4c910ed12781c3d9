import * as z from "zod";

/** What the platform bills, and what it does not but a reader wants to see. */
export const Unit = z.enum([
  "object request",
  "socket message",
  "row",
  "queue message",
  "worker request",
  "not billed",
]);
export type Unit = z.infer<typeof Unit>;

/** How often one thing happened in one kind of object. */
export const Count = z.object({ unit: Unit, object: z.string(), item: z.string(), count: z.int() });
export type Count = z.infer<typeof Count>;

/** All that was counted so far, with the alarms that are armed and will each be a request of their own. */
export const Reading = z.object({ counts: z.array(Count), alarms: z.record(z.string(), z.int()) });
export type Reading = z.infer<typeof Reading>;

/** Rows that one write of each kind costs, as SQLite counts its own changes. */
export const RowsPerWrite = z.object({ put: z.int(), overwrite: z.int(), setAlarm: z.int() });
export type RowsPerWrite = z.infer<typeof RowsPerWrite>;

export const READING_PATH = "/bench/reading";
export const ROWS_PATH = "/bench/rows";

/** Counts for one isolate: locally one holds the Worker and all of its objects. */
export class Tally {
  readonly #counts = new Map<string, Count>();
  readonly #armed = new Map<string, string>();

  add(unit: Unit, object: string, item: string, n = 1): void {
    const key = `${unit}/${object}/${item}`;
    const known = this.#counts.get(key)?.count ?? 0;
    this.#counts.set(key, { unit, object, item, count: known + n });
  }

  /** @param id of the object, which has one alarm at most */
  arm(object: string, id: string): void {
    this.#armed.set(id, object);
  }

  disarm(id: string): void {
    this.#armed.delete(id);
  }

  read(): Reading {
    const alarms: Record<string, number> = {};
    for (const object of this.#armed.values()) alarms[object] = (alarms[object] ?? 0) + 1;
    return { counts: [...this.#counts.values()], alarms };
  }
}
