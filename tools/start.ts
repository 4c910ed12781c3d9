import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startEdge } from "./edge/start.ts";
import { startPostgres } from "./postgres/start.ts";
import { ensureMediasoupWorker } from "./setup/mediasoup-worker.ts";
import { reportFailure } from "./setup/setup-error.ts";
import { buildWebPage } from "./setup/web-page.ts";
import { mustBeFree } from "./start/port.ts";
import { installationSecrets } from "./start/secrets.ts";
import { readSettings } from "./start/settings.ts";
import { startSfuNode } from "./start/sfu-node.ts";
import { type Boot, supervise } from "./start/supervise.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/** `npm start`: everything that a call needs, on this machine. */
async function boot({ step, runs, log }: Boot): Promise<string> {
  const { port, dataDir, databaseUrl } = readSettings(process.env, root);
  await mustBeFree(port);
  const secrets = installationSecrets(dataDir);

  const workerBin = await step("mediasoup worker", (say) => ensureMediasoupWorker({ log: say }));

  const postgres = await step("Postgres", (say) => startPostgres({ dataDir, databaseUrl, log: say }));
  runs("Postgres", postgres.close);

  await step("web page", () => buildWebPage(root));

  const vars = {
    ...secrets,
    DATABASE_URL: postgres.databaseUrl,
    NEON_LOCAL: postgres.neonLocal,
    DEVELOPMENT: "on",
    // A queue on one machine lives in memory: what a killed edge had in it is told again soon.
    LEDGER_RETRY_SECONDS: "10",
  };
  const edge = await step("edge", () => startEdge({ port, dataDir: join(dataDir, "edge"), vars, log: log("edge") }));
  runs("edge", edge.close, edge.exited);

  const node = { root, edgeUrl: edge.url, nodeKey: secrets.SFU_NODE_KEY, workerBin, log: log("SFU node") };
  const sfuNode = await step("SFU node", () => startSfuNode(node));
  runs("SFU node", sfuNode.stop, sfuNode.exited);

  return `Switchboard is ready: ${edge.url}`;
}

process.exit(await supervise(boot).then(() => 0, reportFailure));
