import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import type * as z from "zod";
import { type Edge, startEdge } from "../../tools/edge/start.ts";
import { type Part, startPart } from "../../tools/setup/part.ts";
import { History } from "./history.ts";
import { Answer, type Order } from "./load/protocol.ts";
import { ask, PostgresReady } from "./messages.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The embedded Postgres, for one edge or for several in turn. */
export interface Database {
  readonly pid: number;
  readonly neonLocal: string;
  readonly databaseUrl: string;
  stop(): Promise<void>;
}

/** An edge, and a load client beside it: each in a process of its own. */
export interface Rig {
  readonly edge: Edge;
  readonly database: Database;
  readonly history: History;
  /** @throws what went wrong in the load client */
  order<T extends Answer>(order: Order, answer: z.ZodType<T>): Promise<T>;
  stop(): Promise<void>;
}

type Log = (line: string) => void;

export async function startDatabase(dataDir: string, log: Log, isServer = false): Promise<Database> {
  const part = await startPart({ name: "Postgres", entry: entry("./postgres-main.ts"), cwd: ROOT, log });
  const ready = await ask(part, { dataDir, isServer }, PostgresReady);
  return { ...ready, pid: part.pid, stop: part.stop };
}

/** @param mainModule the bundled Worker */
export async function startRig(database: Database, dataDir: string, mainModule: string, log: Log): Promise<Rig> {
  const [edge, client] = await Promise.all([
    startEdge({ dataDir, mainModule, vars: edgeVars(database), log }),
    startPart({ name: "load client", entry: entry("./load/main.ts"), cwd: ROOT, log }),
  ]);
  return {
    edge,
    database,
    history: new History(database),
    order: (order, answer) => obeyed(client, order, answer),
    stop: async () => {
      await Promise.all([client.stop(), edge.close()]);
    },
  };
}

async function obeyed<T extends Answer>(client: Part, order: Order, expected: z.ZodType<T>): Promise<T> {
  const answer = await ask(client, order, Answer);
  if (answer.type === "failed") throw new Error(`the load client failed: ${answer.message}`);
  return expected.parse(answer);
}

/** With secrets of its own. */
export function edgeVars({
  neonLocal,
  databaseUrl,
}: Database): Record<string, string> & { readonly SFU_NODE_KEY: string } {
  const secret = () => randomBytes(32).toString("base64url");
  return {
    DEVELOPMENT: "on",
    NEON_LOCAL: neonLocal,
    DATABASE_URL: databaseUrl,
    JWT_SECRET: secret(),
    TURN_SECRET: secret(),
    SFU_NODE_KEY: secret(),
    CALL_TOKEN_SECRET: secret(),
    // Few users make many calls here.
    INITIATION_BURST: "1000000",
    PAIR_BURST: "1000000",
    SERVER_KEY: secret(),
  };
}

function entry(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}
