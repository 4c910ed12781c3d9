import { randomBytes } from "node:crypto";
import { connect } from "./connect.ts";
import { openEmbedded } from "./embedded.ts";
import { MIGRATIONS, migrateEmbedded, migrateServer } from "./migrate.ts";
import { type NeonEndpoint, startNeonEndpoint } from "./neon-endpoint.ts";
import type { Engine } from "./neon-protocol.ts";
import { serverEngine } from "./server.ts";

export interface PostgresOptions {
  /** Where the embedded Postgres keeps its data. */
  readonly dataDir: string;
  /** A Postgres of one's own or Neon's; without it the embedded one. */
  readonly databaseUrl?: string | undefined;
  readonly migrations?: string;
  /** One line for a person who waits. */
  readonly log: (line: string) => void;
}

/** A migrated database, and how the Worker reaches it. */
export interface Postgres {
  /** The Worker's NEON_LOCAL: "host:port" of the endpoint in this process, or "" for Neon's own. */
  readonly neonLocal: string;
  /** The Worker's DATABASE_URL. Of an endpoint in this process it is a key to that and nothing else. */
  readonly databaseUrl: string;
  /** Takes the database down and up again, for those who test that; there is none with Neon. */
  readonly endpoint: NeonEndpoint | undefined;
  close(): Promise<void>;
}

/** @throws SetupError with what to do about it */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const { databaseUrl, migrations = MIGRATIONS, log } = options;
  if (!databaseUrl) return startEmbedded(options.dataDir, migrations, log);
  const client = await connect(databaseUrl);
  try {
    await migrateServer(client, migrations);
  } finally {
    await client.end();
  }
  if (isNeon(databaseUrl)) {
    log("Postgres: Neon");
    return { neonLocal: "", databaseUrl, endpoint: undefined, close: async () => {} };
  }
  log(`Postgres: ${new URL(databaseUrl).host}`);
  return serve(serverEngine(databaseUrl));
}

async function startEmbedded(dataDir: string, migrations: string, log: (line: string) => void): Promise<Postgres> {
  const { database, engine } = await openEmbedded(dataDir);
  try {
    await migrateEmbedded(database, migrations);
  } catch (error) {
    await engine.close();
    throw error;
  }
  log(`Postgres: embedded, data in ${dataDir}`);
  return serve(engine);
}

async function serve(engine: Engine): Promise<Postgres> {
  const password = randomBytes(24).toString("base64url");
  const endpoint = await startNeonEndpoint(engine, password);
  return {
    neonLocal: endpoint.hostPort,
    databaseUrl: `postgres://switchboard:${password}@127.0.0.1/switchboard`,
    endpoint,
    close: async () => {
      await endpoint.stop();
      await engine.close();
    },
  };
}

/** Neon's own hosts speak its protocol themselves, so the Worker goes straight to them. */
export function isNeon(databaseUrl: string): boolean {
  return /(^|\.)neon\.tech$/.test(new URL(databaseUrl).hostname);
}
