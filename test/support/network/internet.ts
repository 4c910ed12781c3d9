import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, connect as toEdge } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { generate } from "selfsigned";
import { ensureMediasoupWorker } from "../../../tools/setup/mediasoup-worker.ts";
import { writeTurnConfig } from "../../../tools/turn/config.ts";
import { ROOT } from "../project.ts";
import { Home, type Uplink } from "./home.ts";
import { Namespace, removeOwn, removeStale } from "./namespace.ts";
import type { Nat } from "./nat.ts";

/** Public addresses, of those that documents use (RFC 5737). */
const EDGE = "203.0.113.1";
const TURN = "203.0.113.2";
const NODE = "203.0.113.3";

/** The edge of this internet, as browsers in its homes reach it. */
export const ORIGIN = `https://${EDGE}`;
/** The same for a media node, which does not know our certificate. */
const PLAIN_ORIGIN = `http://${EDGE}`;
/** What the edge is to say of its TURN server. */
export const TURN_VARS = { TURN_SERVERS: `local=${TURN}:3478/443` };

/** Only a failure ever takes this long. */
const TURN_START_MS = 10_000;

const DOOR = fileURLToPath(new URL("./door-main.ts", import.meta.url));
const FOLLOW_PARENT = fileURLToPath(new URL("../../../tools/setup/follow-parent.ts", import.meta.url));

interface InternetOptions {
  /** Where the edge really is. */
  readonly edgeUrl: string;
  readonly turnSecret: string;
}

/** What is between homes: one network with the edge and a coturn in it, and nothing that reaches outside. */
export class Internet {
  readonly #namespace: Namespace;
  readonly #folder: string;
  readonly #toEdge: Server;
  readonly #homes: Home[] = [];
  #uplinks = 0;

  private constructor(namespace: Namespace, folder: string, toEdge: Server) {
    this.#namespace = namespace;
    this.#folder = folder;
    this.#toEdge = toEdge;
  }

  static async start({ edgeUrl, turnSecret }: InternetOptions): Promise<Internet> {
    await removeStale();
    const namespace = await Namespace.create("internet");
    await namespace.bridge("public", `${EDGE}/24`, `${TURN}/24`, `${NODE}/24`);
    const folder = mkdtempSync(join(tmpdir(), "switchboard-internet-"));
    const internet = new Internet(namespace, folder, await listenFor(edgeUrl, socketPath(folder)));
    await internet.#certify();
    await Promise.all([internet.#openDoor(), internet.#startTurn(turnSecret)]);
    return internet;
  }

  /** A home with its router. */
  async home(nat: Nat): Promise<Home> {
    const number = this.#homes.length + 1;
    const home = await Home.build({ number, uplink: () => this.#uplink(), nat });
    this.#homes.push(home);
    return home;
  }

  /** A media node of its own address; the edge counts it a moment later. */
  async startNode(nodeKey: string): Promise<void> {
    const env = {
      ...process.env,
      SWITCHBOARD_EDGE_URL: PLAIN_ORIGIN,
      SFU_NODE_KEY: nodeKey,
      SFU_LISTEN_IP: NODE,
      SFU_RTC_PORT: "0",
      HEALTH_PORT: "0",
      MEDIASOUP_WORKER_BIN: await ensureMediasoupWorker({ log: () => {} }),
    };
    const args = ["--import", FOLLOW_PARENT, join(ROOT, "sfu-node/main.ts")];
    this.#namespace.spawn(process.execPath, args, { env, cwd: ROOT, stdio: ["ignore", "ignore", "inherit", "ipc"] });
  }

  async close(): Promise<void> {
    await Promise.all(this.#homes.map((home) => home.close()));
    await Internet.remove();
    this.#toEdge.close();
    rmSync(this.#folder, { recursive: true });
  }

  /** What there is of one, in whatever state. */
  static async remove(): Promise<void> {
    await removeOwn();
  }

  #uplink(): Uplink {
    const number = ++this.#uplinks;
    return {
      plug: { at: this.#namespace, name: `uplink${number}`, bridge: "public" },
      address: `203.0.113.${10 + number}/24`,
    };
  }

  async #certify(): Promise<void> {
    const extensions = [{ name: "subjectAltName" as const, altNames: [{ type: 7 as const, ip: EDGE }] }];
    const made = await generate([{ name: "commonName", value: EDGE }], { keyType: "ec", extensions });
    writeFileSync(this.#path("cert.pem"), made.cert);
    writeFileSync(this.#path("key.pem"), made.private);
  }

  async #openDoor(): Promise<void> {
    const args = ["--import", FOLLOW_PARENT, DOOR, EDGE, socketPath(this.#folder)];
    const secure = [this.#path("cert.pem"), this.#path("key.pem")];
    const stdio = ["ignore", "inherit", "inherit", "ipc"] as const;
    await once(this.#namespace.spawn(process.execPath, [...args, ...secure], { stdio: [...stdio] }), "message");
  }

  async #startTurn(secret: string): Promise<void> {
    const folder = this.#path("turn");
    mkdirSync(folder);
    const config = await writeTurnConfig({ folder, address: TURN, port: 3478, tlsPort: 443, secrets: [secret] });
    const turn = this.#namespace.spawn("turnserver", ["-c", config], { stdio: "ignore" });
    await answers(turn, this.#namespace, 443);
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }
}

function socketPath(folder: string): string {
  return join(folder, "edge.sock");
}

async function listenFor(edgeUrl: string, path: string): Promise<Server> {
  const { hostname, port } = new URL(edgeUrl);
  const server = createServer((socket) => {
    const edge = toEdge(Number(port), hostname);
    socket.pipe(edge).pipe(socket);
    socket.on("error", () => edge.destroy());
    edge.on("error", () => socket.destroy());
  });
  await once(server.listen(path), "listening");
  return server;
}

/** coturn says nothing of being ready. @throws when it has ended, or was not ready in all that time */
async function answers(turn: ChildProcess, namespace: Namespace, port: number): Promise<void> {
  const knock = () => namespace.run("bash", ["-c", `exec 3<>/dev/tcp/${TURN}/${port}`]).then(() => true);
  for (const by = Date.now() + TURN_START_MS; Date.now() < by && turn.exitCode === null; await delay(20)) {
    if (await knock().catch(() => false)) return;
  }
  throw new Error(`coturn does not answer on port ${port}`);
}
