import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { installed } from "../../../tools/setup/packages.mjs";
import { temporaryFolder } from "../../support/data-folder.ts";

const LOCKED = {
  "": { version: "1.0.0" },
  "node_modules/hono": { version: "4.0.0", integrity: "sha512-hono" },
  "node_modules/node-other": { version: "24.0.0", integrity: "sha512-node", optional: true },
};
const { "": _root, ...PACKAGES } = LOCKED;

let root = "";
beforeEach(() => {
  root = temporaryFolder();
  mkdirSync(join(root, "node_modules"));
  writeFileSync(join(root, "package-lock.json"), JSON.stringify({ packages: LOCKED }));
});
afterEach(() => rmSync(root, { recursive: true }));

/** As npm writes it at the end of an install. */
function npmInstalled(packages: object): void {
  writeFileSync(join(root, "node_modules/.package-lock.json"), JSON.stringify({ packages }));
}

it("has everything when npm installed everything", () => {
  npmInstalled(PACKAGES);
  expect(installed(root)).toBe(true);
});

it("does not miss an optional package of another system", () => {
  npmInstalled({ "node_modules/hono": LOCKED["node_modules/hono"] });
  expect(installed(root)).toBe(true);
});

it("has nothing on a bare clone, and after an install that was cut short", () => {
  expect(installed(root)).toBe(false);
  writeFileSync(join(root, "node_modules/.package-lock.json"), '{"packages": {');
  expect(installed(root)).toBe(false);
});

it.each([
  ["a package is missing", {}],
  ["the lock file has a newer one", { "node_modules/hono": { version: "3.9.9", integrity: "sha512-hono" } }],
  ["its content is another", { "node_modules/hono": { version: "4.0.0", integrity: "sha512-other" } }],
])("installs again when %s", (_case, packages) => {
  npmInstalled(packages);
  expect(installed(root)).toBe(false);
});
