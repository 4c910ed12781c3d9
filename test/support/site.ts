import { rm } from "node:fs/promises";
import { join } from "node:path";
import { type Edge, startEdge } from "../../tools/edge/start.ts";
import { type Postgres, startPostgres } from "../../tools/postgres/start.ts";
import { ensureMediasoupWorker } from "../../tools/setup/mediasoup-worker.ts";
import type { Part } from "../../tools/setup/part.ts";
import { buildWebPage } from "../../tools/setup/web-page.ts";
import { startSfuNode } from "../../tools/start/sfu-node.ts";
import { fillFolder, temporaryFolder } from "./data-folder.ts";
import { ROOT } from "./project.ts";

const NODE_KEY = "node-key-of-the-tests";

/** What a browser needs of `npm start`: the page, the edge in workerd, a database, and media nodes where it says so. */
export class Site {
  readonly url: string;
  readonly #edge: Edge;
  readonly #postgres: Postgres;
  readonly #folder: string;
  readonly #nodes: Part[] = [];

  private constructor(edge: Edge, postgres: Postgres, folder: string) {
    this.url = edge.url;
    this.#edge = edge;
    this.#postgres = postgres;
    this.#folder = folder;
  }

  /** @param more variables of the edge, besides those that it needs */
  static async start(more: Readonly<Record<string, string>> = {}): Promise<Site> {
    const folder = temporaryFolder();
    await fillFolder(folder);
    await buildWebPage(ROOT);
    const postgres = await startPostgres({ dataDir: folder, log: () => {} });
    const vars = {
      DATABASE_URL: postgres.databaseUrl,
      NEON_LOCAL: postgres.neonLocal,
      DEVELOPMENT: "on",
      JWT_SECRET: "a-secret-of-the-tests-of-32-bytes",
      SERVER_KEY: "server-key-of-the-tests",
      SFU_NODE_KEY: NODE_KEY,
      CALL_TOKEN_SECRET: "call-tokens-of-the-tests-of-32-bytes",
      TURN_SECRET: "turn-secret-of-the-tests",
      VAPID_PRIVATE_KEY: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
      ...more,
    };
    const edge = await startEdge({ dataDir: join(folder, "edge"), vars });
    return new Site(edge, postgres, folder);
  }

  /** One more media node, back when the edge counts it. */
  async startNode(): Promise<Part> {
    const workerBin = await ensureMediasoupWorker({ log: () => {} });
    const node = await startSfuNode({ root: ROOT, edgeUrl: this.url, nodeKey: NODE_KEY, workerBin, log: () => {} });
    this.#nodes.push(node);
    return node;
  }

  async close(): Promise<void> {
    for (const node of this.#nodes) await node.stop();
    await this.#edge.close();
    await this.#postgres.close();
    await rm(this.#folder, { recursive: true });
  }
}
