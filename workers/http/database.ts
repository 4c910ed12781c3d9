import { CursorRefused } from "../ledger/cursor.ts";
import { failure, log } from "../log.ts";
import { HttpRefusal } from "./errors.ts";

/** What the database answers; 503 while it does not. No call waits for it. */
export async function asked<T>(query: Promise<T>): Promise<T> {
  try {
    return await query;
  } catch (error) {
    if (error instanceof CursorRefused) throw new HttpRefusal(error.refusal.code, error.refusal.message);
    log("database_unavailable", { failure: failure(error) });
    throw new HttpRefusal("internal", "the database is not available right now, calls are", { status: 503 });
  }
}
