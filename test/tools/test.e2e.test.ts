import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { killFamily, Run } from "../support/processes.ts";
import { copyProject, ROOT } from "../support/project.ts";

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

/** `npm test` in a copy of the project, with one test that passes and whatever is broken in it. */
async function npmTest(
  breakIt: (project: string) => void,
  more: Readonly<Record<string, string>> = {},
): Promise<{ code: number; lines: string[] }> {
  const project = copyProject();
  cleanups.push(project.remove);
  writeFileSync(join(project.folder, "test/one.test.ts"), 'import { it } from "vitest";\n\nit("passes", () => {});\n');
  breakIt(project.folder);
  const env = { SWITCHBOARD_CACHE: join(ROOT, ".cache"), SWITCHBOARD_TEST_SKIPS: "yes", ...more };
  const run = new Run("npm", ["test", "--", "--project=node", "test/one.test.ts"], { cwd: project.folder, env });
  cleanups.push(() => killFamily(run.pid));
  return { code: await run.ended(), lines: run.output.trimEnd().split("\n") };
}

it("ends with one line of counts, and 0 when nothing failed", async () => {
  const { code, lines } = await npmTest(() => {});
  expect(lines.filter((line) => line.startsWith("FAIL"))).toEqual([]);
  expect(lines.at(-1), lines.join("\n")).toBe("1 passed, 0 failed");
  expect(code).toBe(0);
});

it("counts apart what cannot be tested here, and fails for it where that may not be", async () => {
  const skips = 'import { it } from "vitest";\n\nit("skips", ({ skip }) => skip("not here"));\n';
  const breakIt = (project: string) => writeFileSync(join(project, "test/one.test.ts"), skips);
  const { code, lines } = await npmTest(breakIt, { SWITCHBOARD_TEST_SKIPS: "no" });
  expect(lines.at(-1), lines.join("\n")).toBe("0 passed, 0 failed, 1 skipped");
  expect(code).toBe(1);
});

it("fails for a type, for lint, and for tables without a migration, and runs the tests all the same", async () => {
  const { code, lines } = await npmTest((project) => {
    appendFileSync(join(project, "tools/start/port.ts"), 'export const port: number = "8787";\n');
    appendFileSync(join(project, "schema/db/tables.ts"), 'export const more = pgTable("more", { id: uuid() });\n');
    writeFileSync(join(project, "test/two.ts"), "export let never = 1");
  });
  expect(code).not.toBe(0);
  expect(lines.slice(-4)).toEqual([
    "FAIL types",
    "FAIL lint",
    "FAIL migrations (else: npm run db:generate)",
    "1 passed, 3 failed",
  ]);
});
