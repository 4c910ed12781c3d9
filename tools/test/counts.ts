import { writeFileSync } from "node:fs";
import type { Reporter, SerializedError, TestModule } from "vitest/node";
import * as z from "zod";

/** How a run went. A test that was left out counts as failed: in a whole run nothing may be. */
export const Counts = z.object({ passed: z.int(), failed: z.int() });
export type Counts = z.infer<typeof Counts>;

/** Names the file that the counts are written to. */
export const COUNTS_FILE = "SWITCHBOARD_TEST_COUNTS";

/** A reporter for vitest that only counts, for the one line that `npm test` ends with. */
export default class CountsReporter implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>, errors: ReadonlyArray<SerializedError>): void {
    const file = process.env[COUNTS_FILE];
    if (file) writeFileSync(file, JSON.stringify(count(modules, errors)));
  }
}

function count(modules: ReadonlyArray<TestModule>, errors: ReadonlyArray<SerializedError>): Counts {
  const counts = { passed: 0, failed: errors.length };
  for (const module of modules) {
    // A file that does not load, or whose hooks throw.
    counts.failed += module.errors().length;
    for (const suite of module.children.allSuites()) counts.failed += suite.errors().length;
    for (const test of module.children.allTests()) {
      if (test.result().state === "passed") counts.passed += 1;
      else counts.failed += 1;
    }
  }
  return counts;
}
