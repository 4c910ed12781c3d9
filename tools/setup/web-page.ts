import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SetupError } from "./setup-error.ts";

/** What the page is made of. */
const SOURCES = ["web", "client", "schema", "package-lock.json"];

/** Neither makes the page, and the first is made of it. */
const NOT_SOURCES = /^(web\/dist|schema\/db)\//;

/**
 * Builds web/ into web/dist, unless that is what these very sources gave.
 * @returns whether it had to be built
 * @throws SetupError `web_build_failed`
 */
export async function buildWebPage(root: string): Promise<boolean> {
  const stamp = join(root, ".cache", "web-page");
  const sources = await digest(root, SOURCES);
  const before = await readFile(stamp, "utf8").catch(() => "");
  if (before === `${sources} ${await digest(root, ["web/dist"])}`) return false;
  await bundle(root);
  await mkdir(join(root, ".cache"), { recursive: true });
  await writeFile(stamp, `${sources} ${await digest(root, ["web/dist"])}`);
  return true;
}

async function bundle(root: string): Promise<void> {
  const { build } = await import("vite");
  try {
    await build({ root: join(root, "web"), logLevel: "silent" });
  } catch (error) {
    throw new SetupError(
      "web_build_failed",
      `the web page does not build\n${error instanceof Error ? error.message : error}`,
      "Correct the file named above; `npm run build:web` builds the page alone.",
    );
  }
}

/** By content, because a checkout changes times and a build must not be missed. */
async function digest(root: string, paths: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const path of paths) {
    for (const file of await files(root, path)) hash.update(`${file}\0`).update(await readFile(join(root, file)));
  }
  return hash.digest("hex");
}

async function files(root: string, path: string): Promise<string[]> {
  const entries = await readdir(join(root, path), { recursive: true, withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) return [path];
  const found = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const names = found.map((file) => file.slice(root.length).replace(/^\//, ""));
  return names.filter((name) => path === "web/dist" || !NOT_SOURCES.test(name)).sort();
}
