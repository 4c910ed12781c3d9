import { startPostgres } from "../../tools/postgres/start.ts";
import { fillFolder } from "../support/data-folder.ts";
import { startPostgresServer } from "../support/postgres-server.ts";
import { PostgresFolder, type PostgresReady } from "./messages.ts";

// Postgres in a process of its own, so that its CPU is told apart from the edge's.

process.channel?.ref();
process.once("message", async (message) => {
  const { dataDir, isServer } = PostgresFolder.parse(message);
  const server = isServer ? await startPostgresServer() : undefined;
  if (!server) await fillFolder(dataDir);
  const options = { dataDir, databaseUrl: server?.databaseUrl, log: () => {} };
  const { neonLocal, databaseUrl, close } = await startPostgres(options);
  process.once("SIGTERM", async () => {
    await close();
    await server?.close();
    process.exit(0);
  });
  const ready: PostgresReady = { neonLocal, databaseUrl };
  process.send?.(ready);
});
