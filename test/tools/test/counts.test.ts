import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { COUNTS_FILE, Counts } from "../../../tools/test/counts.ts";
import { temporaryFolder } from "../../support/data-folder.ts";
import { Run } from "../../support/processes.ts";
import { ROOT } from "../../support/project.ts";

let folder = "";
beforeEach(() => {
  folder = temporaryFolder();
  mkdirSync(join(folder, "test"));
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function run(...tests: string[]): Promise<{ counts: Counts; output: string }> {
  const globals = 'import { beforeAll, describe, expect, it } from "vitest";\n';
  for (const [index, test] of tests.entries()) writeFileSync(join(folder, `test/${index}.test.ts`), globals + test);
  const file = join(folder, "counts.json");
  const vitest = join(ROOT, "node_modules/vitest/vitest.mjs");
  const reporter = `--reporter=${join(ROOT, "tools/test/counts.ts")}`;
  const vitestRun = new Run(process.execPath, [vitest, "run", reporter], { cwd: folder, env: { [COUNTS_FILE]: file } });
  await vitestRun.ended();
  return { counts: Counts.parse(JSON.parse(readFileSync(file, "utf8"))), output: vitestRun.output };
}

it("counts what passed and what failed, in whatever depth", async () => {
  const nested = 'describe("a", () => { it("b", () => {}); it("c", () => expect(1).toBe(2)); });';
  expect((await run('it("a", () => {});', nested)).counts).toEqual({ passed: 2, failed: 1, skipped: 0 });
});

it("counts as failed what was left out, does not load, or breaks outside of a test", async () => {
  const leftOut = 'it.runIf(false)("a", () => {}); it.todo("b"); it("c", () => {});';
  const broken = 'throw new Error("does not load");';
  const hook = 'describe("d", () => { beforeAll(() => { throw new Error("hook"); }); it("e", () => {}); });';
  expect((await run(leftOut, broken, hook)).counts).toEqual({ passed: 1, failed: 5, skipped: 0 });
});

it("counts apart what says why it cannot be run here, and passes that on", async () => {
  const skipped = 'it("a", ({ skip }) => skip("no network")); it("b", ({ skip }) => skip());';
  const { counts, output } = await run(skipped);
  expect(counts).toEqual({ passed: 0, failed: 1, skipped: 1 });
  expect(output).toContain("SKIP no network");
});
