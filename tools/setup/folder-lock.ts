import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { SetupError } from "./setup-error.ts";

/** Kept here because a collected `DatabaseSync` closes its file, and the lock with it. */
const held = new Set<DatabaseSync>();

/**
 * Two processes in one folder of data destroy it. A lock of SQLite's is the kernel's: unlike a file with a process id
 * in it, it goes with the process, however that ends.
 * @returns the release
 * @throws SetupError `data_in_use`
 */
export function lockFolder(folder: string): () => void {
  mkdirSync(folder, { recursive: true });
  const file = new DatabaseSync(join(folder, "lock"), { timeout: 0 });
  try {
    file.exec("begin exclusive");
  } catch {
    file.close();
    throw new SetupError(
      "data_in_use",
      `another process has the data in ${folder} open`,
      "Stop the other run, or give this one a folder of its own with DATA_DIR.",
    );
  }
  held.add(file);
  return () => {
    held.delete(file);
    file.close();
  };
}
