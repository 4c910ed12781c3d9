import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sql } from "drizzle-orm";
import { afterEach, beforeEach, expect, it } from "vitest";
import { MIGRATIONS } from "../../../tools/postgres/migrate.ts";
import { startPostgres } from "../../../tools/postgres/start.ts";
import { openDatabase } from "../../../workers/ledger/database.ts";
import { listCalls } from "../../../workers/ledger/history.ts";
import { fillFolder, temporaryFolder } from "../../support/data-folder.ts";
import { at, nextId } from "../../support/ledger-events.ts";

let dataDir: string;
beforeEach(async () => {
  dataDir = temporaryFolder();
  await fillFolder(dataDir);
});
afterEach(() => rmSync(dataDir, { recursive: true }));

/** The project's first migrations. */
function first(count: number): string {
  const folder = join(dataDir, "migrations");
  cpSync(MIGRATIONS, folder, { recursive: true });
  const journal = join(folder, "meta", "_journal.json");
  const { entries } = JSON.parse(readFileSync(journal, "utf8"));
  writeFileSync(journal, JSON.stringify({ entries: entries.slice(0, count) }));
  return folder;
}

async function on<T>(migrations: string, work: (db: ReturnType<typeof openDatabase>) => Promise<T>): Promise<T> {
  const { databaseUrl, neonLocal, close } = await startPostgres({ dataDir, migrations, log: () => {} });
  try {
    return await work(openDatabase({ DATABASE_URL: databaseUrl, NEON_LOCAL: neonLocal }));
  } finally {
    await close();
  }
}

it("[HIST-2] keeps the history of before: each call with the direction and outcome that it had for each of the two", async () => {
  const [ann, bob] = [nextId(), nextId()];
  const past = [
    { id: nextId(), outcome: "completed" },
    { id: nextId(), outcome: "blocked" },
  ];
  await on(first(1), async (db) => {
    await db.execute(sql`insert into users (id, name) values (${ann}, 'Ann'), (${bob}, 'Bob')`);
    for (const [n, { id, outcome }] of past.entries()) {
      await db.execute(sql`
        insert into calls (id, initiator_id, call_type, state, outcome, created_at)
        values (${id}, ${ann}, 'video', 'ended', ${outcome}, ${at(n)})`);
      await db.execute(sql`
        insert into call_participants (call_id, user_id, state, created_at)
        values (${id}, ${ann}, 'left', ${at(n)}), (${id}, ${bob}, 'left', ${at(n)})`);
    }
  });
  await on(MIGRATIONS, async (db) => {
    const [completed, blocked] = past.map(({ id }) => id);
    const listed = async (userId: string, filter = {}) =>
      (await listCalls(db, userId, { limit: 9, ...filter })).calls.map(({ id, outcome }) => [id, outcome]);
    expect(await listed(ann, { direction: "outgoing" })).toEqual([
      [blocked, "missed"],
      [completed, "completed"],
    ]);
    expect(await listed(bob, { direction: "incoming" })).toEqual([[completed, "completed"]]);
    expect(await listed(bob, { outcome: "blocked" })).toEqual([[blocked, "blocked"]]);
  });
});
