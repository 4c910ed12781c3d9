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
import { isTurnInstalled, startTurnServer, type TurnServer } from "./turn/start.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Whoever is relayed here is on this machine too: its own relays, and the media node. */
const PEERS_HERE = ["allow-loopback-peers", "allowed-peer-ip=127.0.0.1"];

/** `npm start`: everything that a call needs, on this machine. */
async function start(boot: Boot): Promise<string> {
  const { step, runs, log } = boot;
  const { port, dataDir, databaseUrl } = readSettings(process.env, root);
  await mustBeFree(port);
  const secrets = installationSecrets(dataDir);

  const workerBin = await step("mediasoup worker", (say) => ensureMediasoupWorker({ log: say }));

  const postgres = await step("Postgres", (say) => startPostgres({ dataDir, databaseUrl, log: say }));
  runs("Postgres", postgres.close);

  await step("web page", () => buildWebPage(root));

  const turn = await turnServer(boot, join(dataDir, "turn"), secrets.TURN_SECRET);

  const vars = {
    ...secrets,
    ...(turn && { TURN_SERVERS: `local=127.0.0.1:${turn.port}/${turn.tlsPort}` }),
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

/** Calls on one machine connect without a relay too, so it may be missing. */
async function turnServer({ step, runs, log }: Boot, folder: string, secret: string): Promise<TurnServer | null> {
  const say = log("TURN server");
  if (!isTurnInstalled()) {
    say("coturn is not installed, so no call can be relayed. On Debian: apt-get install coturn");
    return null;
  }
  const options = { folder, secrets: [secret], more: PEERS_HERE, log: say };
  const server = await step("TURN server", () => startTurnServer(options));
  runs("TURN server", server.stop, server.exited);
  return server;
}

process.exit(await supervise(start).then(() => 0, reportFailure));
