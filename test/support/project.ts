import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

/** What a clone does not have, or what need not be copied. */
const LEFT_OUT = new Set(["node_modules", ".git", ".data", ".cache", ".wrangler", "screenshots"]);

/** The project in a folder of its own, to break something in. Its packages and its mediasoup worker are this one's. */
export interface Project {
  readonly folder: string;
  remove(): void;
}

export function copyProject({ installed = true } = {}): Project {
  const folder = mkdtempSync(join(tmpdir(), "switchboard-project-"));
  cpSync(ROOT, folder, { recursive: true, filter: (path) => path === ROOT || !LEFT_OUT.has(basename(path)) });
  if (installed) {
    symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
    const built = join(ROOT, ".cache", "web-page");
    if (existsSync(built)) cpSync(built, join(folder, ".cache", "web-page"));
  }
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
