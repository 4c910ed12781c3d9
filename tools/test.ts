import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureMediasoupWorker } from "./setup/mediasoup-worker.ts";
import { reportFailure } from "./setup/setup-error.ts";
import { buildWebPage } from "./setup/web-page.ts";
import { COUNTS_FILE, Counts } from "./test/counts.ts";
import { migrationsAreComplete } from "./test/migrations.ts";
import { run } from "./test/run.ts";
import { ensureSystemPackages } from "./test/system-packages.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

const PROJECTS = [".", "workers", "sfu-node", "client", "web", "tools", "test", "test/tsconfig.workerd.json"];

/** "no": a run in which a test could not be run here is a failed one. */
const SKIPS_MAY_BE = "SWITCHBOARD_TEST_SKIPS";

const NOTHING: Counts = { passed: 0, failed: 0, skipped: 0 };

/** Some ten times what the tests take: whoever waits for them hears of a run that hangs. */
const TESTS_MS = 35 * 60_000;

/** `npm test`: what the tests need, types, lint, and every test. Its arguments are vitest's. */
async function main(args: readonly string[]): Promise<number> {
  await step("system packages", () => ensureSystemPackages(say));
  const workerBin = await step("mediasoup worker", () => ensureMediasoupWorker({ log: say }));
  await step("web page", async () => void (await buildWebPage(root)));

  const checks: Record<string, () => Promise<boolean>> = {
    "bindings (else: npm run types)": async () =>
      (await run("npm", ["run", "--silent", "types", "--", "--check"])) === 0,
    types: typesAreRight,
    lint: async () => (await run("npm", ["run", "--silent", "lint"])) === 0,
    "migrations (else: npm run db:generate)": () => migrationsAreComplete(root),
  };
  const failures: string[] = [];
  for (const [name, check] of Object.entries(checks)) {
    if (!(await step(name, check))) failures.push(name);
  }

  const counts = await step("tests", () => vitest(args, workerBin));
  for (const failure of failures) console.log(`FAIL ${failure}`);
  const failed = counts.failed + failures.length;
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : "";
  console.log(`${counts.passed} passed, ${failed} failed${skipped}`);
  return failed === 0 && (!skipped || process.env[SKIPS_MAY_BE] !== "no") ? 0 : 1;
}

/** wrangler would ask the network for its newest version at each call. */
Object.assign(process.env, { WRANGLER_HIDE_BANNER: "true", WRANGLER_SEND_METRICS: "false" });

/** Every project, so that one run shows all that is wrong. */
async function typesAreRight(): Promise<boolean> {
  let right = true;
  for (const project of PROJECTS) {
    if ((await run("tsc", ["-p", join(root, project)])) !== 0) right = false;
  }
  return right;
}

async function vitest(args: readonly string[], workerBin: string): Promise<Counts> {
  const folder = mkdtempSync(join(tmpdir(), "switchboard-tests-"));
  const file = join(folder, "counts.json");
  const env = { ...process.env, MEDIASOUP_WORKER_BIN: workerBin, [COUNTS_FILE]: file };
  const reporters = ["--reporter=default", `--reporter=${join(root, "tools/test/counts.ts")}`];
  try {
    const code = await run("vitest", ["run", ...reporters, ...args], { cwd: root, env, timeout: TESTS_MS });
    const counts = existsSync(file) ? Counts.parse(JSON.parse(readFileSync(file, "utf8"))) : NOTHING;
    return code === 0 || counts.failed > 0 ? counts : { ...counts, failed: 1 };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function step<T>(name: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const result = await work();
  console.log(`${result === false ? "FAIL" : "ok  "} ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  return result;
}

function say(line: string): void {
  console.log(`     ${line}`);
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () => process.exit(128 + constants.signals[signal]));
}
process.exit(await main(process.argv.slice(2)).catch(reportFailure));
