import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { PGlite } from "@electric-sql/pglite";
import { DrizzleQueryError } from "drizzle-orm/errors";
import { drizzle as drizzleServer } from "drizzle-orm/node-postgres";
import { migrate as migrateServerWith } from "drizzle-orm/node-postgres/migrator";
import { drizzle as drizzleEmbedded } from "drizzle-orm/pglite";
import { migrate as migrateEmbeddedWith } from "drizzle-orm/pglite/migrator";
import type pg from "pg";
import * as z from "zod";
import { SetupError } from "../setup/setup-error.ts";

/** drizzle-kit's migrations of this project. */
export const MIGRATIONS = fileURLToPath(new URL("../../schema/db/migrations", import.meta.url));

/** @throws SetupError `migration_broken` */
export function migrateEmbedded(database: PGlite, folder = MIGRATIONS): Promise<void> {
  return explained(folder, () => migrateEmbeddedWith(drizzleEmbedded(database), { migrationsFolder: folder }));
}

/**
 * All in one transaction, which is why Neon too is migrated over a connection: drizzle's migrator
 * over HTTP has none, and would leave half of a broken migration behind.
 * @throws SetupError `migration_broken`
 */
export function migrateServer(client: pg.Client, folder = MIGRATIONS): Promise<void> {
  return explained(folder, () => migrateServerWith(drizzleServer(client), { migrationsFolder: folder }));
}

async function explained(folder: string, migrate: () => Promise<void>): Promise<void> {
  try {
    await migrate();
  } catch (error) {
    const cause = error instanceof DrizzleQueryError ? (error.cause ?? error) : error;
    const file = error instanceof DrizzleQueryError ? fileOf(folder, error.query) : undefined;
    throw new SetupError(
      "migration_broken",
      `${file ? `migration ${file}` : "a migration"} failed: ${cause instanceof Error ? cause.message : cause}`,
      "Nothing of it was kept. Correct the migration, or restore the database that it expects, and start again.",
    );
  }
}

const Journal = z.object({ entries: z.array(z.object({ tag: z.string() })) });

/** Which file a statement that failed comes from: drizzle's error only has the statement. */
function fileOf(folder: string, statement: string): string | undefined {
  try {
    const journal = Journal.parse(JSON.parse(readFileSync(join(folder, "meta", "_journal.json"), "utf8")));
    const files = journal.entries.map(({ tag }) => `${tag}.sql`);
    return files.find((file) => readFileSync(join(folder, file), "utf8").includes(statement));
  } catch {
    return undefined;
  }
}
