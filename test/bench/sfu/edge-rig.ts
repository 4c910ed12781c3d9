import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import { bundleEdge } from "../../../tools/edge/bundle.ts";
import { startEdge } from "../../../tools/edge/start.ts";
import type { Part } from "../../../tools/setup/part.ts";
import { buildWebPage } from "../../../tools/setup/web-page.ts";
import { startSfuNode } from "../../../tools/start/sfu-node.ts";
import { edgeVars, startDatabase } from "../rig.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const LOOK_MS = 20;
const PATIENCE_MS = 20_000;

type Log = (line: string) => void;

/** A line of a node's log. */
const Line = z.object({ event: z.string() });

/** A media node, which tells by its log whether it has a room. */
export class Node {
  #part: Part | undefined;
  #rooms = 0;

  static async start(start: (log: Log) => Promise<Part>): Promise<Node> {
    const node = new Node();
    node.#part = await start((line) => node.#hear(line));
    return node;
  }

  get part(): Part {
    if (!this.#part) throw new Error("the node is not up yet");
    return this.#part;
  }

  get isServing(): boolean {
    return this.#rooms > 0;
  }

  /** To all of its processes at once. */
  signal(signal: "SIGKILL" | "SIGSTOP"): void {
    process.kill(-this.part.pid, signal);
  }

  #hear(line: string): void {
    const { event } = parsed(line);
    if (event === "room_opened") this.#rooms += 1;
    if (event === "room_closed") this.#rooms -= 1;
  }
}

/** The edge in workerd with a database, and media nodes that come and go. */
export interface EdgeRig {
  readonly url: string;
  /** @param env further settings of the node */
  startNode(env?: Readonly<Record<string, string>>): Promise<Node>;
  /** The one of the nodes that are left which has the room. */
  serving(): Promise<Node>;
  /** It has ended, or will never be asked again. */
  forget(node: Node): Promise<void>;
}

export async function startEdgeRig(
  folder: string,
  workerBin: string,
  parts: AsyncDisposableStack,
  log: Log,
): Promise<EdgeRig> {
  const dataDir = join(folder, "edge");
  mkdirSync(dataDir, { recursive: true });
  await buildWebPage(ROOT);
  const database = await startDatabase(folder, log);
  parts.defer(database.stop);
  const vars = edgeVars(database);
  const edge = await startEdge({ dataDir, vars, log, mainModule: await bundleEdge(ROOT, join(dataDir, "bundle")) });
  parts.defer(edge.close);
  const nodes = new Set<Node>();
  parts.defer(async () => {
    await Promise.all([...nodes].map(({ part }) => part.kill()));
  });
  const about = { root: ROOT, edgeUrl: edge.url, nodeKey: vars.SFU_NODE_KEY, workerBin };
  return {
    url: edge.url,
    startNode: async (env = {}) => {
      const node = await Node.start((hear) => startSfuNode({ ...about, env, log: hear }));
      nodes.add(node);
      return node;
    },
    serving: async () => {
      const patience = performance.now() + PATIENCE_MS;
      while (performance.now() < patience) {
        const found = [...nodes].find(({ isServing }) => isServing);
        if (found) return found;
        await delay(LOOK_MS);
      }
      throw new Error("no node has the room");
    },
    forget: async (node) => {
      nodes.delete(node);
      await node.part.kill();
    },
  };
}

function parsed(line: string): z.infer<typeof Line> {
  try {
    return Line.parse(JSON.parse(line));
  } catch {
    return { event: "" };
  }
}
