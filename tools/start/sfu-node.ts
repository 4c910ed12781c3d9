import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import * as z from "zod";
import { HealthResponse } from "../../schema/http.ts";
import { type Part, startPart } from "../setup/part.ts";
import { SetupError } from "../setup/setup-error.ts";

/** Milliseconds that a node has to start its workers and to register. */
const REGISTER_MS = 15_000;

/** Any free ports: several systems may run on one machine. */
const ANY_PORTS = { SFU_RTC_PORT: "0", HEALTH_PORT: "0" };

/** What the node logs when the edge has taken it. */
const Registered = z.object({ event: z.literal("sfu_registered") });

export interface SfuNodeOptions {
  readonly root: string;
  readonly edgeUrl: string;
  readonly nodeKey: string;
  readonly workerBin: string;
  /** Further settings of the node. */
  readonly env?: Readonly<Record<string, string>>;
  readonly log: (line: string) => void;
}

/**
 * One SFU node, back when the edge counts it.
 * @throws SetupError `sfu_start_failed`
 */
export async function startSfuNode({ root, edgeUrl, nodeKey, workerBin, env, log }: SfuNodeOptions): Promise<Part> {
  const registered = Promise.withResolvers<void>();
  const part = await startPart({
    name: "SFU node",
    entry: join(root, "sfu-node/main.ts"),
    cwd: root,
    env: {
      ...ANY_PORTS,
      ...env,
      SWITCHBOARD_EDGE_URL: edgeUrl,
      SFU_NODE_KEY: nodeKey,
      MEDIASOUP_WORKER_BIN: workerBin,
    },
    log: (line) => {
      log(line);
      if (isRegistered(line)) registered.resolve();
    },
  });
  const problem = await Promise.race([
    registered.promise.then(() => uncounted(edgeUrl)),
    part.exited.then((how) => `its process ended (${how})`),
    delay(REGISTER_MS, `it has not registered after ${REGISTER_MS / 1000} s`),
  ]);
  if (problem === undefined) return part;
  await part.stop();
  throw new SetupError("sfu_start_failed", `the SFU node does not start: ${problem}`, "What it wrote is above.");
}

function isRegistered(line: string): boolean {
  try {
    return Registered.safeParse(JSON.parse(line)).success;
  } catch {
    return false;
  }
}

/** @returns what is wrong, if the edge does not count the node */
async function uncounted(edgeUrl: string): Promise<string | undefined> {
  const response = await fetch(`${edgeUrl}/health`);
  const health = HealthResponse.safeParse(await response.json());
  if (health.success && health.data.services.sfu.nodes > 0) return undefined;
  return `it registered, but ${edgeUrl}/health counts no node`;
}
