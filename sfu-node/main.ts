import packageJson from "../package.json" with { type: "json" };
import { FLEET_PROTOCOL, type NodeRegister } from "../schema/fleet.ts";
import { type Config, readConfig } from "./config.ts";
import { startHealth } from "./health.ts";
import { LoadMeter } from "./load.ts";
import { log, problem, short } from "./log.ts";
import { PushRelay } from "./push-relay.ts";
import { RegistrationSocket } from "./registration.ts";
import { startListening } from "./room/listening.ts";
import { Rooms } from "./rooms.ts";
import { WorkerPool } from "./workers.ts";

/** What has to be closed when the node stops. */
interface Part {
  close(): Promise<void>;
}

/** An SFU node: `node sfu-node/main.ts`, with the environment that `config.ts` tells of. */
async function main(): Promise<void> {
  const config = readConfig(process.env);
  const node = describeNode(config);
  const parts: Part[] = [];
  const stop = onStopSignal(node, parts);
  log("sfu_starting", { node: short(node.nodeId), region: config.region, workers: config.workers });

  startListening();
  const pool = await WorkerPool.open({ ...config, count: config.workers, log });
  parts.unshift(pool);

  const load = new LoadMeter(pool);
  const rooms = new Rooms({ ...config, nodeId: node.nodeId, pool, log });
  parts.unshift(rooms);
  const measure = async () => ({ load: await load.measure(), rooms: rooms.count, draining: rooms.isDraining });
  const pushes = config.apnsUrl && new PushRelay({ apnsUrl: config.apnsUrl, log });
  if (pushes) parts.unshift(pushes);
  const relay = pushes ? { relay: pushes.send.bind(pushes) } : {};
  const registration = new RegistrationSocket({
    ...config,
    node,
    measure,
    log,
    onRoom: (room) => void rooms.open(room),
    onDrain: () => void stop(),
    ...relay,
  });
  parts.unshift(registration);
  pool.on("change", () => registration.reportNow());

  const health = await startHealth(config.healthHost, config.healthPort, () => ({
    registered: registration.isRegistered,
    workers: { alive: pool.alive.length, configured: pool.size },
  }));
  parts.unshift(health);
  log("sfu_listening", { health: health.port });

  registration.start();
  // Newest first: before anything is closed, the rooms move away.
  parts.unshift({
    close: async () => {
      const drained = rooms.drain(config.drainMs);
      registration.reportNow();
      await drained;
    },
  });
}

function describeNode(config: Config): NodeRegister {
  return {
    type: "node_register",
    nodeId: crypto.randomUUID(),
    region: config.region,
    version: packageJson.version,
    protocol: FLEET_PROTOCOL,
    capacity: { workers: config.workers, consumers: config.workers * config.consumersPerWorker },
    announcedAddress: config.announcedAddress,
    pushRelay: config.apnsUrl !== null,
  };
}

/**
 * The first signal closes what runs, newest first; a second one ends the process as signals do.
 * @returns what the signal does
 */
function onStopSignal(node: NodeRegister, parts: readonly Part[]): () => Promise<void> {
  let isStopping = false;
  const stop = async () => {
    if (isStopping) return;
    isStopping = true;
    log("sfu_stopping", { node: short(node.nodeId) });
    for (const part of [...parts]) await part.close();
    log("sfu_stopped", { node: short(node.nodeId) });
    process.exit(0);
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
  return stop;
}

main().catch((error: unknown) => {
  log("sfu_failed", { problem: problem(error) });
  process.exit(1);
});
