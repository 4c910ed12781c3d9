import { createHash } from "node:crypto";
import { globSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { SetupError } from "./setup-error.ts";

/** What the page is made of; nothing that is left out makes it, and the first is made of it. */
const SOURCES: Files = {
  include: ["web/**", "client/**", "schema/**", "package-lock.json"],
  exclude: ["web/dist/**", "client/dist/**", "schema/db/**"],
};
const BUILT: Files = { include: ["web/dist/**"], exclude: [] };

interface Files {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

/**
 * Builds web/ into web/dist, unless that is what these very sources gave.
 * @returns whether it had to be built
 * @throws SetupError `web_build_failed`
 */
export async function buildWebPage(root: string): Promise<boolean> {
  const stamp = join(root, ".cache", "web-page");
  const sources = await digest(root, SOURCES);
  const before = await readFile(stamp, "utf8").catch(() => "");
  if (before === `${sources} ${await digest(root, BUILT)}`) return false;
  await bundle(root);
  await mkdir(join(root, ".cache"), { recursive: true });
  await writeFile(stamp, `${sources} ${await digest(root, BUILT)}`);
  return true;
}

async function bundle(root: string): Promise<void> {
  const { build } = await import("vite");
  try {
    await build({ root: join(root, "web"), logLevel: "silent" });
  } catch (error) {
    throw new SetupError(
      "web_build_failed",
      `the web page does not build\n${stripVTControlCharacters(error instanceof Error ? error.message : String(error))}`,
      "Correct the file named above; `npm run build:web` builds the page alone.",
    );
  }
}

/** By content, because a checkout changes times and a build must not be missed. */
async function digest(root: string, { include, exclude }: Files): Promise<string> {
  const entries = globSync([...include], { cwd: root, exclude: [...exclude], withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const hash = createHash("sha256");
  for (const file of files.sort()) hash.update(`${relative(root, file)}\0`).update(await readFile(file));
  return hash.digest("hex");
}
