import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { buildWebPage } from "../../../tools/setup/web-page.ts";
import { temporaryFolder } from "../../support/data-folder.ts";

let root = "";
beforeEach(() => {
  root = temporaryFolder();
  for (const folder of ["web", "client", "schema/db"]) mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, "package-lock.json"), "{}");
  writeFileSync(join(root, "web/index.html"), '<!doctype html><script type="module" src="/main.ts"></script>');
  writeFileSync(join(root, "web/main.ts"), 'import { name } from "../client/index.ts";\ndocument.title = name;\n');
  writeFileSync(join(root, "client/index.ts"), 'export const name = "first";\n');
});
afterEach(() => rmSync(root, { recursive: true }));

it("builds once, and again only for another source or a page that is gone", async () => {
  expect(await buildWebPage(root)).toBe(true);
  expect(readFileSync(join(root, "web/dist/index.html"), "utf8")).toContain("<script");
  expect(await buildWebPage(root)).toBe(false);

  writeFileSync(join(root, "client/index.ts"), 'export const name = "second";\n');
  expect(await buildWebPage(root)).toBe(true);
  expect(await buildWebPage(root)).toBe(false);

  rmSync(join(root, "web/dist"), { recursive: true });
  expect(await buildWebPage(root)).toBe(true);
  expect(existsSync(join(root, "web/dist/index.html"))).toBe(true);
});

it("does not build for a table of the database, which no page has", async () => {
  await buildWebPage(root);
  writeFileSync(join(root, "schema/db/tables.ts"), "export {};\n");
  expect(await buildWebPage(root)).toBe(false);
});

it("says which file is wrong", async () => {
  writeFileSync(join(root, "client/index.ts"), "export const = 1;\n");
  await expect(buildWebPage(root)).rejects.toMatchObject({
    reason: "web_build_failed",
    message: expect.stringContaining("client/index.ts"),
  });
});
