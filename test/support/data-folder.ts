import { cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PGlite } from "@electric-sql/pglite";
import manifest from "../../package.json" with { type: "json" };

const CACHE = fileURLToPath(new URL("../../.cache", import.meta.url));
const TEMPLATE = join(CACHE, `embedded-postgres-${manifest.dependencies["@electric-sql/pglite"]}`);

/** An empty folder of its own for a test. */
export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), "switchboard-data-"));
}

/**
 * Puts an empty embedded Postgres into a data folder, as a first start leaves it before it migrates.
 * Making one takes seconds and copying one does not.
 */
export async function fillFolder(folder: string): Promise<void> {
  if (!existsSync(TEMPLATE)) await makeTemplate();
  cpSync(TEMPLATE, join(folder, "postgres"), { recursive: true });
}

/** Test files run at once: each makes its own, and the first to be ready keeps the place. */
async function makeTemplate(): Promise<void> {
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(join(CACHE, "making-"));
  await (await PGlite.create(join(folder, "postgres"))).close();
  try {
    renameSync(join(folder, "postgres"), TEMPLATE);
  } catch (error) {
    if (!existsSync(TEMPLATE)) throw error;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
