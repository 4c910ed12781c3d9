import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { ensureMediasoupWorker } from "../../tools/setup/mediasoup-worker.ts";
import { type FleetConnection, FleetServer } from "./fleet-server.ts";
import { NodeProcess } from "./node-process.ts";

const BUILD_MS = 600_000;
const CALM = { heartbeatMs: 60_000, leaseMs: 180_000 };
const KEY = "a-key-nobody-may-read";

let fleet: FleetServer;
let workerBin = "";
const nodes: NodeProcess[] = [];

beforeAll(async () => {
  workerBin = await ensureMediasoupWorker({ log: () => {} });
}, BUILD_MS);

beforeEach(async () => {
  fleet = await FleetServer.start();
});

afterEach(async () => {
  for (const node of nodes.splice(0)) {
    node.child.kill("SIGKILL");
    await node.exited;
  }
  await fleet.close();
});

function start(env: Record<string, string> = {}): NodeProcess {
  const node = new NodeProcess({
    SWITCHBOARD_EDGE_URL: fleet.url,
    SFU_NODE_KEY: KEY,
    MEDIASOUP_WORKER_BIN: workerBin,
    ...env,
  });
  nodes.push(node);
  return node;
}

/** A node that has registered and sent its first heartbeat. */
async function registered(env?: Record<string, string>): Promise<{ node: NodeProcess; connection: FleetConnection }> {
  const node = start(env);
  const connection = await fleet.connection();
  await connection.register(CALM);
  await connection.heartbeat();
  return { node, connection };
}

describe("an SFU node", () => {
  it("registers with what it can do, says so in a line, and reports a real load", async () => {
    const node = start({
      SFU_REGION: "eu-west",
      SFU_WORKERS: "2",
      ANNOUNCED_ADDRESS: "sfu.example.org",
      PUSH_RELAY: "on",
    });
    const connection = await fleet.connection();
    expect(await connection.register(CALM)).toMatchObject({
      type: "node_register",
      region: "eu-west",
      protocol: 1,
      capacity: { workers: 2, consumers: 800 },
      announcedAddress: "sfu.example.org",
      pushRelay: true,
    });
    const { load } = await connection.heartbeat();
    expect(load).toMatchObject({ workers: 2, consumers: 0, packetRate: 0 });
    expect(load.cpu).toBeGreaterThan(0);
    expect(await node.line("sfu_registered")).toMatchObject({ region: "eu-west", workers: 2 });
    expect(node.output).not.toContain(KEY);
  });

  it("is live from the start, and ready while it is registered", async () => {
    const node = start();
    const connection = await fleet.connection();
    expect(await node.health("/health/live")).toEqual({ status: 200, body: { status: "ok" } });
    expect(await node.health("/health/ready")).toMatchObject({ status: 503, body: { registered: false } });
    await connection.register(CALM);
    await connection.heartbeat();
    expect(await node.health("/health/ready")).toEqual({
      status: 200,
      body: { status: "ok", registered: true, workers: { alive: 1, configured: 1 } },
    });
    expect((await node.health("/elsewhere")).status).toBe(404);
    connection.close(1012);
    await fleet.connection();
    expect((await node.health("/health/ready")).status).toBe(503);
  });

  it("replaces a mediasoup worker that was killed, and reports both", async () => {
    const { node, connection } = await registered();
    const [pid] = await mediaWorkersOf(node);
    process.kill(pid ?? 0, "SIGKILL");
    expect((await connection.heartbeat()).load.workers).toBe(0);
    expect((await connection.heartbeat()).load.workers).toBe(1);
    expect(await node.line("sfu_worker_died")).toMatchObject({ worker: 0 });
    expect(await node.line("sfu_worker_replaced")).toMatchObject({ worker: 0 });
    expect((await node.health("/health/ready")).status).toBe(200);
  });

  it.each(["SIGTERM", "SIGINT"] as const)(
    "leaves at %s: socket closed, no worker left, exit code 0",
    async (signal) => {
      const { node, connection } = await registered();
      const workers = await mediaWorkersOf(node);
      expect(workers).toHaveLength(1);
      node.child.kill(signal);
      expect(await connection.closed).toBe(1000);
      expect(await node.exited).toBe(0);
      expect(workers.filter(isRunning)).toEqual([]);
      expect(node.lines.map(({ event }) => event).slice(-2)).toEqual(["sfu_stopping", "sfu_stopped"]);
    },
  );

  it("leaves at a signal that comes while it starts", async () => {
    const node = start();
    await node.line("sfu_starting");
    node.child.kill("SIGTERM");
    expect(await node.exited).toBe(0);
  });

  it("takes no worker along when it is killed", async () => {
    const { node } = await registered();
    const workers = await mediaWorkersOf(node);
    node.child.kill("SIGKILL");
    await node.exited;
    // The system's first process reaps orphans in its own time.
    await expect.poll(() => workers.filter(isRunning)).toEqual([]);
  });
});

describe("an SFU node that cannot start", () => {
  it("names the variable that is wrong, and no secret", async () => {
    const node = start({ SFU_REGION: "EU West" });
    expect(await node.exited).toBe(1);
    expect(await node.line("sfu_failed")).toMatchObject({ problem: expect.stringContaining("SFU_REGION: ") });
    expect(node.output).not.toContain(KEY);
  });

  it("says that its health port is taken", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const address = other.address();
    const port = address !== null && typeof address === "object" ? address.port : 0;
    const node = start({ HEALTH_PORT: String(port) });
    expect(await node.exited).toBe(1);
    expect(await node.line("sfu_failed")).toMatchObject({ problem: expect.stringContaining("EADDRINUSE") });
    other.close();
  });

  it("says that its worker does not run", async () => {
    const node = start({ MEDIASOUP_WORKER_BIN: "/bin/false" });
    expect(await node.exited).toBe(1);
    expect(await node.line("sfu_failed")).toMatchObject({ problem: expect.any(String) });
  });
});

/** The child processes of a node, which are its mediasoup workers. */
async function mediaWorkersOf(node: NodeProcess): Promise<number[]> {
  const listing = spawn("ps", ["-o", "pid=", "--ppid", String(node.child.pid)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  listing.stdout.on("data", (data) => {
    output += String(data);
  });
  await once(listing, "close");
  return output.trim().split(/\s+/).filter(Boolean).map(Number);
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
