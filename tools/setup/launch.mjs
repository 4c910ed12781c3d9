import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { EXIT_CODES } from "./exit-codes.mjs";
import { installed, npmCi } from "./packages.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const BIN = join(ROOT, "node_modules", ".bin");
const PINNED_NODE = join(BIN, "node");

/** Older ones do not run TypeScript. */
const OLDEST_FOR_TYPESCRIPT = 22;

/** @type {Record<string, string>} */
const COMMANDS = {
  start: "tools/start.ts",
  test: "tools/test.ts",
  bench: "test/bench/main.ts",
  "bench:sfu": "test/bench/sfu/main.ts",
  "bench:networks": "test/bench/networks/main.ts",
};

/**
 * Installs what is missing and becomes the command: its signals, its exit code.
 * @param {string[]} argv the command and its arguments
 */
export async function launch([command = "", ...args]) {
  const entry = COMMANDS[command];
  if (entry === undefined) fail(1, `no command "${command}"`, `One of: ${Object.keys(COMMANDS).join(", ")}`);
  if (!installed(ROOT)) await install();
  const node = chooseNode();
  const child = spawn(node, [join(ROOT, entry), ...args], { cwd: ROOT, stdio: "inherit", env: environment() });
  // The terminal sends its Ctrl-C to both; the command treats the second one as the first.
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
    process.on(signal, () => child.kill(signal));
  }
  child.on("error", (error) => fail(1, `${node} does not run: ${error.message}`, "Delete node_modules and try again."));
  child.on("exit", (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : (code ?? 1)));
}

async function install() {
  console.log("Installing packages (npm ci) ...");
  const started = performance.now();
  const problem = await npmCi(ROOT);
  if (problem) {
    const hint = "What npm wrote is above. Check the network and npm's registry setting, then run the command again.";
    fail(EXIT_CODES.npm_install_failed, `the packages could not be installed: ${problem}`, hint);
  }
  console.log(`Packages installed in ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

/** The node of the lock file; where there is none for this system, the machine's own. */
function chooseNode() {
  if (existsSync(PINNED_NODE)) return PINNED_NODE;
  const major = Number(process.versions.node.split(".")[0]);
  if (major >= OLDEST_FOR_TYPESCRIPT) return process.execPath;
  const system = `${process.platform}-${process.arch}`;
  return fail(
    EXIT_CODES.node_too_old,
    `Node.js ${process.versions.node} is too old here: the project brings its own for linux-x64 and linux-arm64 only`,
    `On ${system} install Node.js 24 from https://nodejs.org and run the command again.`,
  );
}

function environment() {
  return { ...process.env, PATH: [BIN, process.env.PATH].filter(Boolean).join(delimiter) };
}

/**
 * @param {number} code
 * @param {string} message
 * @param {string} hint
 * @returns {never}
 */
function fail(code, message, hint) {
  console.error(`\nerror: ${message}\n  ${hint}`);
  process.exit(code);
}
