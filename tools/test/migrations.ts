import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { promisify } from "node:util";

/** What drizzle-kit says when the migrations give the tables. Its exit code is 0 whatever happens. */
const COMPLETE = "No schema changes";

/** Whether drizzle-kit would write another migration: the tables were changed and `npm run db:generate` was not run. */
export async function migrationsAreComplete(root: string): Promise<boolean> {
  const cache = join(root, ".cache");
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "migrations-"));
  try {
    cpSync(join(root, "schema/db/migrations"), folder, { recursive: true });
    const args = [
      "generate",
      "--dialect=postgresql",
      "--schema=schema/db/tables.ts",
      `--out=${relative(root, folder)}`,
    ];
    const said = await output("drizzle-kit", args, root);
    if (said.includes(COMPLETE)) return true;
    console.log(said);
    return false;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function output(command: string, args: readonly string[], cwd: string): Promise<string> {
  try {
    const { stdout, stderr } = await promisify(execFile)(command, args, { cwd });
    return `${stdout}${stderr}`;
  } catch (error) {
    return String(error);
  }
}
