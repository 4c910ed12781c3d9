import { spawn } from "node:child_process";
import { join, parse } from "node:path";
import { SetupError } from "../setup/setup-error.ts";

/** wrangler by itself asks the network for its newest version, sends statistics and logs into the home folder. */
const QUIET = {
  WRANGLER_HIDE_BANNER: "true",
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_SEND_ERROR_REPORTS: "false",
  WRANGLER_WRITE_LOGS: "false",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
};

/**
 * Writes the very Worker that `wrangler deploy` would upload.
 * @param root the folder of wrangler.toml
 * @param entry a Worker in place of that which wrangler.toml names, with the same bindings
 * @returns the main module
 * @throws SetupError `edge_build_failed`
 */
export async function bundleEdge(root: string, outDir: string, entry?: string): Promise<string> {
  const wrangler = join(root, "node_modules/wrangler/bin/wrangler.js");
  const args = [wrangler, "deploy", ...(entry ? [entry] : []), "--dry-run", "--outdir", outDir];
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { ...process.env, ...QUIET, NO_COLOR: "1", FORCE_COLOR: "0" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const errors: Buffer[] = [];
  child.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
  child.stdout.resume();
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  if (code === 0) return join(outDir, `${parse(entry ?? "index.ts").name}.js`);
  throw new SetupError(
    "edge_build_failed",
    `the edge's Worker does not build\n${Buffer.concat(errors).toString().trim()}`,
    "Correct the file named above; `npx wrangler deploy --dry-run` builds the Worker alone.",
  );
}
