import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { HealthResponse } from "../../schema/http.ts";
import { type Part, startPart } from "../setup/part.ts";
import { SetupError } from "../setup/setup-error.ts";

/** Milliseconds that a node has to start its workers and to register. */
const REGISTER_MS = 15_000;

export interface SfuNodeOptions {
  readonly root: string;
  readonly edgeUrl: string;
  readonly nodeKey: string;
  readonly workerBin: string;
  readonly log: (line: string) => void;
}

/**
 * One SFU node, back when the edge counts it.
 * @throws SetupError `sfu_start_failed`
 */
export async function startSfuNode({ root, edgeUrl, nodeKey, workerBin, log }: SfuNodeOptions): Promise<Part> {
  const env = { SWITCHBOARD_EDGE_URL: edgeUrl, SFU_NODE_KEY: nodeKey, MEDIASOUP_WORKER_BIN: workerBin };
  const part = await startPart({ name: "SFU node", entry: join(root, "sfu-node/main.ts"), cwd: root, env, log });
  const failed = await Promise.race([registered(edgeUrl), part.exited.then((how) => `its process ended (${how})`)]);
  if (failed === undefined) return part;
  await part.stop();
  throw new SetupError("sfu_start_failed", `the SFU node does not start: ${failed}`, "What it wrote is above.");
}

/** @returns undefined once the edge counts a node */
async function registered(edgeUrl: string): Promise<string | undefined> {
  for (let waited = 0; waited < REGISTER_MS; waited += 100) {
    const response = await fetch(`${edgeUrl}/health`);
    const health = HealthResponse.safeParse(await response.json().catch(() => undefined));
    if (health.success && health.data.services.sfu.nodes > 0) return undefined;
    await delay(100);
  }
  return `the edge at ${edgeUrl} counts no node after ${REGISTER_MS / 1000} s`;
}
