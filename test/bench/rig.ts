import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { neon, neonConfig } from "@neondatabase/serverless";
import * as z from "zod";
import { type Edge, startEdge } from "../../tools/edge/start.ts";
import { type Part, startPart } from "../../tools/setup/part.ts";
import { Answer, type Order } from "./load/protocol.ts";
import { ask, PostgresReady } from "./messages.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** An edge with its Postgres, and a load client beside them: each in a process of its own. */
export interface Rig {
  readonly edge: Edge;
  readonly postgres: Part;
  readonly client: Part;
  /** @throws what went wrong in the load client */
  order<T extends Answer>(order: Order, answer: z.ZodType<T>): Promise<T>;
  /** Calls of the history that are over, by outcome, once there are as many as that. */
  history(calls: number): Promise<Record<string, number>>;
  stop(): Promise<void>;
}

/** @param mainModule the bundled Worker */
export async function startRig(dataDir: string, mainModule: string, log: (line: string) => void): Promise<Rig> {
  const parts = new AsyncDisposableStack();
  try {
    const postgres = await startPart({ name: "Postgres", entry: entry("./postgres-main.ts"), cwd: ROOT, log });
    parts.defer(postgres.stop);
    const { neonLocal, databaseUrl } = await ask(postgres, { dataDir }, PostgresReady);
    const edge = await startEdge({
      dataDir: join(dataDir, "edge"),
      mainModule,
      vars: vars(neonLocal, databaseUrl),
      log,
    });
    parts.defer(edge.close);
    const client = await startPart({ name: "load client", entry: entry("./load/main.ts"), cwd: ROOT, log });
    parts.defer(client.stop);
    return {
      edge,
      postgres,
      client,
      order: (order, answer) => obeyed(client, order, answer),
      history: (calls) => history(neonLocal, databaseUrl, calls),
      stop: () => parts.disposeAsync(),
    };
  } catch (error) {
    await parts.disposeAsync();
    throw error;
  }
}

async function obeyed<T extends Answer>(client: Part, order: Order, expected: z.ZodType<T>): Promise<T> {
  const answer = await ask(client, order, Answer);
  if (answer.type === "failed") throw new Error(`the load client failed: ${answer.message}`);
  return expected.parse(answer);
}

function vars(neonLocal: string, databaseUrl: string): Record<string, string> {
  const secret = () => randomBytes(32).toString("base64url");
  return {
    DEVELOPMENT: "on",
    NEON_LOCAL: neonLocal,
    DATABASE_URL: databaseUrl,
    JWT_SECRET: secret(),
    TURN_SECRET: secret(),
    SFU_NODE_KEY: secret(),
    SERVER_KEY: secret(),
  };
}

/** How long the history may lag behind the calls, and how often it is looked at, in ms. */
const LAG_MS = 30_000;
const LOOK_MS = 200;

const Outcomes = z.array(z.object({ outcome: z.string(), calls: z.int() }));

async function history(neonLocal: string, databaseUrl: string, calls: number): Promise<Record<string, number>> {
  neonConfig.fetchEndpoint = `http://${neonLocal}/sql`;
  const sql = neon(databaseUrl);
  const patience = performance.now() + LAG_MS;
  for (;;) {
    const rows = await sql`select outcome, count(*)::int as calls from calls where state = 'ended' group by outcome`;
    const outcomes = Outcomes.parse(rows);
    const over = outcomes.reduce((sum, row) => sum + row.calls, 0);
    if (over >= calls || performance.now() > patience) {
      return Object.fromEntries(outcomes.map((row) => [row.outcome, row.calls]));
    }
    await delay(LOOK_MS);
  }
}

function entry(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}
