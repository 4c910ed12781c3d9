import { writeFileSync } from "node:fs";
import type { Reporter, SerializedError, TestCase, TestModule } from "vitest/node";
import * as z from "zod";

/**
 * How a run went. A test that says why it cannot be run here is skipped; one that was left out in any other way counts as
 * failed: in a whole run nothing may be.
 */
export const Counts = z.object({ passed: z.int(), failed: z.int(), skipped: z.int() });
export type Counts = z.infer<typeof Counts>;

/** Names the file that the counts are written to. */
export const COUNTS_FILE = "SWITCHBOARD_TEST_COUNTS";

/** A reporter for vitest that only counts, for the one line that `npm test` ends with. */
export default class CountsReporter implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>, errors: ReadonlyArray<SerializedError>): void {
    const file = process.env[COUNTS_FILE];
    if (file) writeFileSync(file, JSON.stringify(count(modules, errors)));
    for (const reason of reasons(modules)) console.log(`SKIP ${reason}`);
  }
}

function count(modules: ReadonlyArray<TestModule>, errors: ReadonlyArray<SerializedError>): Counts {
  const counts = { passed: 0, failed: errors.length, skipped: 0 };
  for (const module of modules) {
    // A file that does not load, or whose hooks throw.
    counts.failed += module.errors().length;
    for (const suite of module.children.allSuites()) counts.failed += suite.errors().length;
    for (const test of module.children.allTests()) {
      counts[outcome(test)] += 1;
    }
  }
  return counts;
}

function outcome(test: TestCase): keyof Counts {
  const result = test.result();
  if (result.state === "passed") return "passed";
  return result.state === "skipped" && result.note ? "skipped" : "failed";
}

/** Why tests were skipped, each once. */
function reasons(modules: ReadonlyArray<TestModule>): Set<string> {
  const results = modules.flatMap((module) => [...module.children.allTests("skipped")].map((test) => test.result()));
  return new Set(results.flatMap((result) => (result.state === "skipped" && result.note ? [result.note] : [])));
}
