import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { HealthResponse } from "../../../schema/http.ts";
import { CLOSE_STALE_EPOCH } from "../../../schema/room-socket.ts";
import { freePort } from "../../support/free-port.ts";
import { startPostgresServer } from "../../support/postgres-server.ts";
import { ROOT } from "../../support/project.ts";
import { FleetServer } from "../fleet-server.ts";
import { podEnvironment, readCompose, readManifest, type Service } from "./deployment.ts";
import { buildImage, type Image } from "./image.ts";
import { Container } from "./running.ts";

/**
 * Proves the container files where there is no container engine: carries the Dockerfiles out in root file systems made
 * with debootstrap, and runs what the compose file and the Kubernetes manifest run in namespaces of their own.
 *
 *   node_modules/.bin/node test/sfu-node/container/proof.ts      as root, on Debian, with debootstrap
 *
 * docs/sfu-node.md says what this proves and what it cannot.
 */

const WORK_DIR = process.env.CONTAINER_PROOF_DIR || "/var/tmp/switchboard-container-proof";
const NODE = "sfu-node/Dockerfile";
const EDGE = "sfu-node/deploy/edge.Dockerfile";

/** Installing and building is for when nobody waits for the cores. */
const BACKGROUND = 19;

async function main(): Promise<void> {
  requireMachine();
  execFileSync("renice", ["-n", String(BACKGROUND), "-p", String(process.pid)], { stdio: "ignore" });
  // What this starts is a machine's own, not this project's: its npm is not to find node_modules/.bin first.
  process.env.PATH = (process.env.PATH ?? "")
    .split(delimiter)
    .filter((folder) => !folder.startsWith(ROOT))
    .join(delimiter);
  const userNpmrc = join(homedir(), ".npmrc");
  const secrets: Record<string, string> = existsSync(userNpmrc) ? { npmrc: userNpmrc } : {};
  const build = { workDir: WORK_DIR, secrets, log: say };

  const node = await buildImage(NODE, build);
  proveContents(node);
  const edge = await buildImage(EDGE, build);

  const volumes = mkdtempSync(join(tmpdir(), "switchboard-volumes-"));
  try {
    await proveRefusal(node, volumes);
    await proveCompose(node, edge, volumes);
    await provePod(node, volumes);
  } finally {
    rmSync(volumes, { recursive: true, force: true });
  }
}

function requireMachine(): void {
  assert.equal(process.getuid?.(), 0, "mounting and chroot take root");
  for (const command of ["debootstrap", "unshare", "nsenter", "setpriv", "npm"]) {
    assert.ok(isOnPath(command), `install ${command} first, for instance: apt-get install debootstrap util-linux npm`);
  }
  mkdirSync(WORK_DIR, { recursive: true });
}

function isOnPath(command: string): boolean {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin"];
  return folders.some((folder) => existsSync(join(folder, command)));
}

/** That nothing of the build, and nothing of this machine, is in the image. */
function proveContents({ root }: Image): void {
  const found = ["root/.npmrc", "usr/local/bin/npm", "usr/bin/g++", "switchboard/node_modules/vitest"];
  assert.deepEqual(
    found.filter((path) => existsSync(join(root, path))),
    [],
  );
  const megabytes = (path: string) => Math.round(diskUsage(join(root, path)) / 1024);
  const parts = ["usr/local/bin/node", "usr/local/bin/mediasoup-worker", "switchboard"];
  say(`ok   the image holds ${megabytes("")} MB: ${parts.map((path) => `${path} ${megabytes(path)}`).join(", ")}`);
}

/** Kilobytes. */
function diskUsage(path: string): number {
  return Number.parseInt(execFileSync("du", ["-sk", path], { encoding: "utf8" }), 10);
}

async function proveRefusal(image: Image, volumes: string): Promise<void> {
  const env = { SWITCHBOARD_EDGE_URL: "http://127.0.0.1:1", SFU_NODE_KEY: "key" };
  const container = Container.start(image, { name: "refused", env, readOnly: true, volumes });
  assert.equal(await container.exited, 1);
  assert.match(container.output, /"problem":"ANNOUNCED_ADDRESS: is needed/);
  say("ok   without an address to announce a container ends with 1 and says so");
}

/** The compose file's four services. */
async function proveCompose(nodeImage: Image, edgeImage: Image, volumes: string): Promise<void> {
  const database = await startDatabase();
  const containers: Container[] = [];
  const run = (name: string, { environment, read_only }: Service, image: Image) => {
    const container = Container.start(image, { name, env: environment, readOnly: read_only, volumes });
    containers.push(container);
    return container;
  };
  try {
    const services = readCompose(readFileSync(join(ROOT, "sfu-node/deploy/compose.yaml"), "utf8"), {
      SFU_NODE_KEY: randomBytes(32).toString("hex"),
      POSTGRES_PASSWORD: database.password,
      POSTGRES_PORT: database.port,
      PORT: String(await freePort()),
    });
    const { edge: edgeService, "sfu-1": first, "sfu-2": second } = services;
    assert.ok(edgeService && first && second);

    const edge = run("edge", edgeService, edgeImage);
    await edge.healthy(60);
    proveNobody(edge, "the edge");
    const nodes = [run("sfu-1", first, nodeImage), run("sfu-2", second, nodeImage)] as const;
    for (const node of nodes) {
      await node.healthy(20);
      proveNobody(node, "a node");
    }
    await proveReadOnly(nodes[0]);
    await untilNodes(edgeService, 2);
    say("ok   compose.yaml: edge, two nodes, both ready by their HEALTHCHECK, and the edge counts 2");

    assert.equal(await nodes[0].stop(), 0);
    await untilNodes(edgeService, 1);
    say("ok   SIGTERM to the container: the node ends with 0, and the edge counts 1");

    assert.equal(await edge.stop(), 0);
    await untilUnhealthy(nodes[1]);
    say("ok   without its edge a node lives on and its HEALTHCHECK fails; the edge ended with 0");
    assert.equal(await nodes[1].stop(), 0);
  } catch (error) {
    for (const { output } of containers) say(output.trimEnd());
    throw error;
  } finally {
    for (const container of containers) container.kill();
    await database.close();
  }
}

/** The manifest's container, at an edge that the proof plays: it has a room when its drain hook is called. */
async function provePod(image: Image, volumes: string): Promise<void> {
  const [{ spec }] = readManifest(readFileSync(join(ROOT, "sfu-node/deploy/kubernetes.yaml"), "utf8"));
  const pod = spec.template.spec;
  const [container] = pod.containers;
  const fleet = await FleetServer.start();
  const { runAsUser, runAsGroup } = pod.securityContext;
  const given = { fields: { "status.hostIP": "127.0.0.1" }, secrets: { SFU_NODE_KEY: "key" } };
  const running = Container.start(image, {
    name: "pod",
    // Where the edge is, is the one thing that the manifest cannot know.
    env: { ...podEnvironment(container, given), SWITCHBOARD_EDGE_URL: fleet.url },
    user: `${runAsUser}:${runAsGroup}`,
    readOnly: container.securityContext.readOnlyRootFilesystem,
    volumes,
  });
  try {
    await probed(container.livenessProbe.httpGet, running);
    const registration = await fleet.connection();
    await registration.register({ heartbeatMs: 60_000, leaseMs: 180_000 });
    await registration.heartbeat();
    await probed(container.readinessProbe.httpGet, running);
    proveNobody(running, "a pod");
    say("ok   kubernetes.yaml: the container is live and ready by its probes");

    registration.send({ type: "room_open", callId: crypto.randomUUID(), epoch: 1 });
    const room = await fleet.room();
    const hook = running.exec(container.lifecycle.preStop.exec.command);
    assert.equal((await room.next()).type, "room_draining");
    room.send({ type: "room_probe", id: "1" });
    assert.equal((await room.next()).type, "room_alive");
    room.close(CLOSE_STALE_EPOCH);
    assert.equal(await running.exited, 0, running.output);
    await hook;
    say("ok   its drain hook: the node keeps its room until that has moved, ends with 0, and the hook with it");
  } finally {
    running.kill();
    await fleet.close();
  }
}

async function probed(
  { host, port, path }: { host: string; port: number; path: string },
  of: Container,
): Promise<void> {
  await until(`${path} of the pod`, 20, async () => (await fetch(`http://${host}:${port}${path}`)).ok, of);
}

/** The first process and with it all others: an ordinary user, without a capability, and none to be had. */
function proveNobody(container: Container, who: string): void {
  assert.equal(container.status("Uid"), "10001\t10001\t10001\t10001", who);
  assert.equal(container.status("Gid"), "10001\t10001\t10001\t10001", who);
  assert.equal(container.status("CapEff"), "0000000000000000", who);
  assert.equal(container.status("NoNewPrivs"), "1", who);
}

async function proveReadOnly(container: Container): Promise<void> {
  const { code, output } = await container.exec(["/bin/sh", "-c", "cat /proc/1/comm; touch /switchboard/written"]);
  assert.notEqual(code, 0);
  assert.match(output, /^tini\n.*Read-only file system/s);
}

async function untilNodes({ environment }: Service, count: number): Promise<void> {
  const url = `http://127.0.0.1:${environment.PORT}/health`;
  await until(`${count} nodes at the edge`, 20, async () => {
    const health = HealthResponse.parse(await (await fetch(url)).json());
    return health.services.sfu.nodes === count;
  });
}

async function untilUnhealthy(node: Container): Promise<void> {
  await until("a HEALTHCHECK that fails", 20, async () => (await node.healthcheck()).code === 1);
}

async function until(what: string, seconds: number, is: () => Promise<boolean>, of?: Container): Promise<void> {
  for (const deadline = performance.now() + seconds * 1000; performance.now() < deadline; await delay(500)) {
    if (await is().catch(() => false)) return;
  }
  throw new Error(`${what}: not after ${seconds} s\n${of?.output ?? ""}`);
}

/** In place of the image of Postgres: this machine's own, as the compose file says that it is reached. */
async function startDatabase(): Promise<{ port: string; password: string; close(): Promise<void> }> {
  const server = await startPostgresServer();
  const password = randomBytes(16).toString("hex");
  const client = new pg.Client(server.databaseUrl);
  await client.connect();
  await client.query(`create role switchboard login password '${password}'`);
  await client.query("create database switchboard owner switchboard");
  await client.end();
  return { port: new URL(server.databaseUrl).port, password, close: server.close };
}

function say(line: string): void {
  console.log(line);
}

const started = performance.now();
await main();
say(`proved in ${Math.round((performance.now() - started) / 1000)} s`);
process.exit(0);
