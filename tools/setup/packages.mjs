import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { delimiter, join } from "node:path";

/** @typedef {{ version?: string, integrity?: string, optional?: boolean }} LockedPackage */

/**
 * True when node_modules holds what package-lock.json asks for. npm keeps its own account of what it installed, and
 * writes it last, so an install that was cut short does not count.
 * @param {string} root
 */
export function installed(root) {
  const wanted = packagesOf(join(root, "package-lock.json"));
  const present = packagesOf(join(root, "node_modules", ".package-lock.json"));
  if (wanted === undefined || present === undefined) return false;
  return Object.entries(wanted).every(([path, { version, integrity, optional }]) => {
    const found = present[path];
    if (path === "" || (found === undefined && optional === true)) return true;
    return found?.version === version && found?.integrity === integrity;
  });
}

/**
 * @param {string} file
 * @returns {Record<string, LockedPackage> | undefined} undefined when there is no such file, or it is damaged
 */
function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8")).packages;
  } catch {
    return undefined;
  }
}

/**
 * Installs exactly the lock file, the tools of development included.
 * @param {string} root
 * @returns {Promise<string | undefined>} what went wrong
 */
export function npmCi(root) {
  const args = ["ci", "--loglevel=error", "--no-audit", "--no-fund", "--include=dev", "--include=optional"];
  const [command, ...first] = npm(join(root, "node_modules"));
  return new Promise((resolve) => {
    const child = spawn(command, [...first, ...args], { cwd: root, stdio: "inherit", env: npmEnvironment(root) });
    child.on("error", (error) => resolve(`npm does not run (${error.message})`));
    child.on("exit", (code, signal) => resolve(code === 0 ? undefined : `npm ci ended with ${signal ?? code}`));
  });
}

/**
 * The npm that runs this, under the node that runs it, unless that is one of node_modules, about to be deleted.
 * @param {string} modules
 * @returns {[string, ...string[]]}
 */
function npm(modules) {
  const { npm_execpath: cli, npm_node_execpath: node } = process.env;
  if (!cli || !node || !/npm-cli\.[cm]?js$/.test(cli)) return ["npm"];
  return [cli, node].some((path) => path.startsWith(modules)) ? ["npm"] : [node, cli];
}

/**
 * Without what an outer npm tells its scripts about themselves. Its settings (npm_config_*) stay: a registry or a proxy
 * may have come that way.
 * @param {string} root
 */
function npmEnvironment(root) {
  const about = /^npm_(package_|lifecycle_|command$|execpath$|node_execpath$|config_(local|global)_prefix$)|^INIT_CWD$/;
  const kept = Object.entries(process.env).filter(([name]) => !about.test(name));
  const modules = join(root, "node_modules");
  const path = (process.env.PATH ?? "").split(delimiter).filter((folder) => !folder.startsWith(modules));
  // Non-empty: mediasoup's install script then downloads nothing. The worker is fetched or built at the first start.
  const MEDIASOUP_WORKER_BIN = process.env.MEDIASOUP_WORKER_BIN || "skip";
  return { ...Object.fromEntries(kept), PATH: path.join(delimiter), MEDIASOUP_WORKER_BIN };
}
