import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./run.ts";

/** Whether drizzle-kit would write another migration: the tables were changed and `npm run db:generate` was not run. */
export async function migrationsAreComplete(root: string): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), "switchboard-migrations-"));
  try {
    cpSync(join(root, "schema/db/migrations"), folder, { recursive: true });
    const before = readdirSync(folder).length;
    const tables = join(root, "schema/db/tables.ts");
    const code = await run("drizzle-kit", [
      "generate",
      "--dialect=postgresql",
      `--schema=${tables}`,
      `--out=${folder}`,
    ]);
    return code === 0 && readdirSync(folder).length === before;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
