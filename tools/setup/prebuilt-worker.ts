import { execFile } from "node:child_process";
import { chmod, writeFile } from "node:fs/promises";
import { arch, platform, release } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { provesToRun } from "./worker-proof.ts";

export interface Prebuilt {
  readonly version: string;
  /** Of mediasoup's source repository, whose releases hold the binaries. */
  readonly repository: string;
  /** An empty folder to unpack into. */
  readonly dir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly log: (line: string) => void;
}

/** Where nothing may be reached, nothing answers either; the build has its minute to spend. */
const ANSWER_MS = 5_000;
const DOWNLOAD_MS = 60_000;

/**
 * The binary that mediasoup's own postinstall would download, by the same names and variables.
 * @returns its path once it has proved to run here; null if it cannot be had or does not run
 */
export async function downloadWorker(prebuilt: Prebuilt): Promise<string | null> {
  const { dir, env, log } = prebuilt;
  if (env.MEDIASOUP_SKIP_WORKER_PREBUILT_DOWNLOAD) return null;
  try {
    const archive = join(dir, "worker.tgz");
    await writeFile(archive, await download(urlOf(prebuilt)));
    await promisify(execFile)("tar", ["-xzf", archive, "-C", dir], { env });
    const binary = join(dir, "mediasoup-worker");
    await chmod(binary, 0o755);
    if (await provesToRun(binary)) return binary;
    log("the prebuilt mediasoup worker does not run on this system");
  } catch (error) {
    log(`no prebuilt mediasoup worker: ${error instanceof Error ? error.message : String(error)}`);
  }
  return null;
}

async function download(url: string): Promise<Buffer> {
  const answer = new AbortController();
  const timer = setTimeout(() => answer.abort(new Error(`no answer within ${ANSWER_MS} ms`)), ANSWER_MS);
  try {
    const response = await fetch(url, { signal: AbortSignal.any([answer.signal, AbortSignal.timeout(DOWNLOAD_MS)]) });
    clearTimeout(timer);
    if (!response.ok) throw new Error(`the download is answered with ${response.status}`);
    return Buffer.from(await response.arrayBuffer());
  } finally {
    clearTimeout(timer);
  }
}

function urlOf({ version, repository, env }: Prebuilt): string {
  const base = env.MEDIASOUP_WORKER_PREBUILT_DOWNLOAD_BASE_URL || `${repository}/releases/download`;
  const kernel = platform() === "linux" ? `-kernel${release().split(".")[0]}` : "";
  return `${base}/${version}/mediasoup-worker-${version}-${platform()}-${arch()}${kernel}.tgz`;
}
