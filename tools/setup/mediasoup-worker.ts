import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { arch } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import { ensureBuildPackages, isExecutable } from "./build-packages.ts";
import { downloadWorker } from "./prebuilt-worker.ts";
import { SetupError } from "./setup-error.ts";
import { buildWorker } from "./worker-build.ts";
import { provesToRun } from "./worker-proof.ts";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));

export interface WorkerSetup {
  /** Takes a line of progress for whoever waits. */
  readonly log: (line: string) => void;
  /** Outside node_modules, so that `npm ci` keeps it. By default SWITCHBOARD_CACHE, else `.cache` of the project. */
  readonly cacheDir?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** The npm package, its version and sources. */
  readonly packageDir?: string;
  readonly recipeDir?: string;
  readonly isRoot?: boolean;
}

/** All of it, with what was left out. */
type Settled = Required<WorkerSetup>;

const Package = z.object({ version: z.string(), repository: z.object({ url: z.string() }) });

/**
 * The path of a mediasoup worker that runs here: the one that MEDIASOUP_WORKER_BIN names, the cached
 * one, mediasoup's prebuilt one, or one built from the npm package's sources.
 * @throws SetupError `no_compiler`, `missing_package` or `mediasoup_build_failed`
 */
export async function ensureMediasoupWorker(setup: WorkerSetup): Promise<string> {
  const settled = settle(setup);
  const named = settled.env.MEDIASOUP_WORKER_BIN;
  if (named && (await isExecutableFile(named))) return named;
  const mediasoup = Package.parse(JSON.parse(await readFile(join(settled.packageDir, "package.json"), "utf8")));
  const key = `${mediasoup.version}-${arch()}-${await recipeHash(settled.recipeDir)}`;
  const workers = join(settled.cacheDir, "mediasoup-worker");
  const cached = join(workers, key, "mediasoup-worker");
  if (await provesToRun(cached)) return cached;
  await obtain(cached, workers, key, mediasoup, settled);
  return cached;
}

async function obtain(
  target: string,
  workers: string,
  key: string,
  mediasoup: z.infer<typeof Package>,
  { packageDir, recipeDir, env, log, isRoot }: Settled,
): Promise<void> {
  await mkdir(join(workers, key), { recursive: true });
  await removeAbandoned(workers);
  const dir = await mkdtemp(join(workers, BUILDING));
  const logFile = join(workers, `${key}.log`);
  const repository = mediasoup.repository.url.replace(/^git\+/, "").replace(/\.git$/, "");
  try {
    log("looking for mediasoup's prebuilt worker");
    let binary = await downloadWorker({ version: mediasoup.version, repository, dir, env, log });
    if (!binary) {
      await rm(logFile, { force: true });
      await ensureBuildPackages({ env, log, logFile, isRoot });
      log("building mediasoup's worker: about a minute on two cores, once");
      const buildDir = join(dir, "build");
      binary = await buildWorker({ recipeDir, sourceDir: join(packageDir, "worker"), buildDir, env, log, logFile });
      await mustRun(binary, logFile);
    }
    // Whoever looks meanwhile finds no worker or a whole one.
    await rename(binary, target);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function mustRun(binary: string, logFile: string): Promise<void> {
  if (await provesToRun(binary)) return;
  throw new SetupError(
    "mediasoup_build_failed",
    "mediasoup's worker was built, but does not run",
    `the whole log: ${logFile}\nor set MEDIASOUP_WORKER_BIN to a worker of this version`,
  );
}

const BUILDING = "building-";
const ABANDONED_MS = 3_600_000;

/** A build that was killed leaves its folder behind. */
async function removeAbandoned(workers: string): Promise<void> {
  const folders = (await readdir(workers)).filter((name) => name.startsWith(BUILDING));
  for (const folder of folders.map((name) => join(workers, name))) {
    const changed = await stat(folder).catch(() => null);
    if (changed && Date.now() - changed.mtimeMs > ABANDONED_MS) await rm(folder, { recursive: true, force: true });
  }
}

/** Names and contents of the recipe's files: another recipe makes another worker. */
async function recipeHash(recipeDir: string): Promise<string> {
  const entries = await readdir(recipeDir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const hash = createHash("sha256");
  for (const file of files.sort()) hash.update(file.slice(recipeDir.length)).update(await readFile(file));
  return hash.digest("hex").slice(0, 12);
}

async function isExecutableFile(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  return found?.isFile() === true && (await isExecutable(path));
}

function settle(setup: WorkerSetup): Settled {
  const env = setup.env ?? process.env;
  return {
    log: setup.log,
    env,
    cacheDir: setup.cacheDir ?? (env.SWITCHBOARD_CACHE || join(PROJECT, ".cache")),
    packageDir: setup.packageDir ?? join(PROJECT, "node_modules", "mediasoup"),
    recipeDir: setup.recipeDir ?? join(PROJECT, "sfu-node", "mediasoup-worker"),
    isRoot: setup.isRoot ?? process.getuid?.() === 0,
  };
}
