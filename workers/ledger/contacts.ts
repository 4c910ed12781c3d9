import { inArray } from "drizzle-orm";
import type * as z from "zod";
import { users } from "../../schema/db/tables.ts";
import type { UserResponse } from "../../schema/http.ts";
import type { Database } from "./database.ts";

/** Of these users those of whom the ledger has heard. */
export async function findUsers(db: Database, userIds: readonly string[]): Promise<z.infer<typeof UserResponse>[]> {
  if (userIds.length === 0) return [];
  return db
    .select({ userId: users.id, name: users.name, avatarUrl: users.avatarUrl })
    .from(users)
    .where(inArray(users.id, [...userIds]));
}
