import { startPostgres } from "../../tools/postgres/start.ts";
import { fillFolder } from "../support/data-folder.ts";
import { PostgresFolder, type PostgresReady } from "./messages.ts";

// The embedded Postgres in a process of its own, so that its CPU is told apart from the edge's.

process.channel?.ref();
process.once("message", async (message) => {
  const { dataDir } = PostgresFolder.parse(message);
  await fillFolder(dataDir);
  const { neonLocal, databaseUrl, close } = await startPostgres({ dataDir, log: () => {} });
  process.once("SIGTERM", () => close().then(() => process.exit(0)));
  const ready: PostgresReady = { neonLocal, databaseUrl };
  process.send?.(ready);
});
