import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { type Postgres, startPostgres } from "../../tools/postgres/start.ts";
import { fillFolder, temporaryFolder } from "./data-folder.ts";
import { startPostgresServer } from "./postgres-server.ts";

/** A migrated database behind an endpoint like Neon's; whatever started for it ends with it. */
export interface TestDatabase {
  readonly postgres: Postgres;
  close(): Promise<void>;
}

async function embedded(): Promise<TestDatabase> {
  const dataDir = temporaryFolder();
  await fillFolder(dataDir);
  const postgres = await startPostgres({ dataDir, log: () => {} });
  const close = async () => {
    await postgres.close();
    rmSync(dataDir, { recursive: true });
  };
  return { postgres, close };
}

async function server(): Promise<TestDatabase> {
  const { databaseUrl, close: end } = await startPostgresServer();
  const postgres = await startPostgres({ dataDir: tmpdir(), databaseUrl, log: () => {} });
  const close = async () => {
    await postgres.close();
    await end();
  };
  return { postgres, close };
}

/** What has to hold for Postgres holds for both: the embedded one and a real server. */
export const DATABASES = [
  { name: "embedded Postgres", open: embedded },
  { name: "PostgreSQL server", open: server },
] as const;
