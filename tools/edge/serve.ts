import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startPostgres } from "../postgres/start.ts";
import { reportFailure, SetupError } from "../setup/setup-error.ts";
import { mustBeFree } from "../start/port.ts";
import { installationSecrets } from "../start/secrets.ts";
import { readSettings } from "../start/settings.ts";
import { type Boot, supervise } from "../start/supervise.ts";
import { startEdge } from "./start.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The edge of a development system whose media nodes run elsewhere: what `sfu-node/deploy/compose.yaml` starts. */
async function boot({ step, runs, log }: Boot): Promise<string> {
  const { port, dataDir, databaseUrl } = readSettings(process.env, root);
  const nodeKey = process.env.SFU_NODE_KEY;
  if (!nodeKey) {
    throw new SetupError("bad_setting", "SFU_NODE_KEY is not set", "Set it to the key that the nodes have.");
  }
  await mustBeFree(port);

  const postgres = await step("Postgres", (say) => startPostgres({ dataDir, databaseUrl, log: say }));
  runs("Postgres", postgres.close);

  const vars = {
    ...installationSecrets(dataDir),
    SFU_NODE_KEY: nodeKey,
    DATABASE_URL: postgres.databaseUrl,
    NEON_LOCAL: postgres.neonLocal,
    DEVELOPMENT: "on",
    // A queue on one machine lives in memory: what a killed edge had in it is told again soon.
    LEDGER_RETRY_SECONDS: "10",
  };
  const edge = await step("edge", () => startEdge({ port, dataDir: join(dataDir, "edge"), vars, log: log("edge") }));
  runs("edge", edge.close, edge.exited);

  return `The edge is ready: ${edge.url}`;
}

process.exit(await supervise(boot).then(() => 0, reportFailure));
