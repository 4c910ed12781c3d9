import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { sql } from "drizzle-orm";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { users } from "../../../schema/db/tables.ts";
import { MIGRATIONS } from "../../../tools/postgres/migrate.ts";
import { isNeon, type Postgres, type PostgresOptions, startPostgres } from "../../../tools/postgres/start.ts";
import { SetupError } from "../../../tools/setup/setup-error.ts";
import { openDatabase } from "../../../workers/ledger/database.ts";
import { failureOf } from "../../../workers/ledger/failure.ts";
import { fillFolder, temporaryFolder } from "../../support/data-folder.ts";
import { type PostgresServer, startPostgresServer } from "../../support/postgres-server.ts";

let dataDir: string;
let server: PostgresServer;
const log = () => {};

beforeAll(async () => {
  server = await startPostgresServer();
});
afterAll(() => server.close());
beforeEach(() => {
  dataDir = temporaryFolder();
});
afterEach(() => rmSync(dataDir, { recursive: true }));

function open({ databaseUrl, neonLocal }: Postgres) {
  return openDatabase({ DATABASE_URL: databaseUrl, NEON_LOCAL: neonLocal });
}

/** The SetupError with which a start fails; it must not show a password. */
async function failure(options: Omit<PostgresOptions, "log">): Promise<SetupError> {
  const error: unknown = await startPostgres({ ...options, log }).then(
    async (postgres) => postgres.close(),
    (reason: unknown) => reason,
  );
  if (!(error instanceof SetupError)) throw new Error(`not a SetupError: ${error}`);
  const password = URL.parse(options.databaseUrl ?? "")?.password;
  if (password) expect(`${error.message} ${error.hint} ${error.stack}`).not.toContain(password);
  expect(error.hint).not.toBe("");
  return error;
}

/** The project's migrations with one more, which Postgres does not take. */
function brokenMigrations(): string {
  const folder = join(dataDir, "migrations");
  cpSync(MIGRATIONS, folder, { recursive: true });
  const journal = join(folder, "meta", "_journal.json");
  const entry = { idx: 99, version: "7", when: 4_000_000_000_000, tag: "0099_broken", breakpoints: true };
  const { entries } = JSON.parse(readFileSync(journal, "utf8"));
  writeFileSync(journal, JSON.stringify({ entries: [...entries, entry] }));
  const statements = ["create table half (id int)", "alter table nowhere add column x int"];
  writeFileSync(join(folder, "0099_broken.sql"), statements.join(";\n--> statement-breakpoint\n"));
  return folder;
}

describe("without a DATABASE_URL", () => {
  it("finds at the second start what the first one wrote", async () => {
    const first = await startPostgres({ dataDir, log });
    await open(first).insert(users).values({ name: "Ann" });
    await first.close();

    const second = await startPostgres({ dataDir, log });
    expect(await open(second).select({ name: users.name }).from(users)).toEqual([{ name: "Ann" }]);
    await second.close();
  });

  it("lets only one at a time into a folder", async () => {
    await fillFolder(dataDir);
    const first = await startPostgres({ dataDir, log });
    expect(await failure({ dataDir })).toMatchObject({
      reason: "data_in_use",
      hint: expect.stringContaining("DATA_DIR"),
    });
    await first.close();
    await (await startPostgres({ dataDir, log })).close();
  });

  it("says which migration is broken, keeps nothing of it and lets the folder go", async () => {
    await fillFolder(dataDir);
    expect(await failure({ dataDir, migrations: brokenMigrations() })).toMatchObject({
      reason: "migration_broken",
      message: 'migration 0099_broken.sql failed: relation "nowhere" does not exist',
    });
    const postgres = await startPostgres({ dataDir, log });
    const { rows } = await open(postgres).execute(sql`select to_regclass('half') as half`);
    expect(rows).toEqual([{ half: null }]);
    await postgres.close();
  });

  it("says so when the folder does not hold a database", async () => {
    writeFileSync(join(dataDir, "postgres"), "not a folder");
    expect(await failure({ dataDir })).toMatchObject({ reason: "data_broken" });
  });
});

describe("with a DATABASE_URL", () => {
  it("migrates that database and does not hand its password on", async () => {
    const postgres = await startPostgres({ dataDir, databaseUrl: server.databaseUrl, log });
    expect(await open(postgres).select().from(users)).toEqual([]);
    expect(postgres.databaseUrl).not.toContain(new URL(server.databaseUrl).password);
    await postgres.close();
  });

  it("answers again when the server has been away", async () => {
    const postgres = await startPostgres({ dataDir, databaseUrl: server.databaseUrl, log });
    const db = open(postgres);
    await db.execute(sql`select 1`);
    await server.stop();
    const error: unknown = await db.execute(sql`select 1`).catch((reason: unknown) => reason);
    expect(failureOf(error)).toMatchObject({ kind: "unavailable" });
    await server.start();
    expect((await db.execute(sql`select 1 as one`)).rows).toEqual([{ one: 1 }]);
    await postgres.close();
  });

  it("says which migration is broken and keeps nothing of it", async () => {
    const error = await failure({ dataDir, databaseUrl: server.databaseUrl, migrations: brokenMigrations() });
    expect(error).toMatchObject({
      reason: "migration_broken",
      message: 'migration 0099_broken.sql failed: relation "nowhere" does not exist',
    });
    const client = new pg.Client(server.databaseUrl);
    await client.connect();
    expect((await client.query("select to_regclass('half') as half")).rows).toEqual([{ half: null }]);
    await client.end();
  });

  it.each([
    ["a wrong password", { password: "wrong-secret" }, "database_refused", "percent-encoded"],
    ["an unknown database", { pathname: "/nothing" }, "database_refused", "createdb"],
    ["a port where nobody listens", { port: "1" }, "database_down", "embedded"],
    ["a host that does not exist", { hostname: "nowhere.invalid" }, "database_down", "embedded"],
  ])("refuses %s with a hint", async (_, part, reason, hint) => {
    const databaseUrl = Object.assign(new URL(server.databaseUrl), part).href;
    expect(await failure({ dataDir, databaseUrl })).toMatchObject({ reason, hint: expect.stringContaining(hint) });
  });

  it.each(["not a url", "mysql://user:hidden@127.0.0.1/x"])("refuses %s as an address", async (databaseUrl) => {
    expect(await failure({ dataDir, databaseUrl })).toMatchObject({ reason: "database_url" });
  });

  it("gives up a server that takes the connection and says nothing", async () => {
    const { port, close } = await silentServer();
    const began = performance.now();
    const databaseUrl = `postgres://user:hidden@127.0.0.1:${port}/x`;
    expect(await failure({ dataDir, databaseUrl })).toMatchObject({ reason: "database_down" });
    expect(performance.now() - began).toBeLessThan(15_000);
    close();
  });
});

it.each([
  ["postgres://u:p@ep-cool-name-123.eu-central-1.aws.neon.tech/db?sslmode=require", true],
  ["postgres://u:p@neon.tech.example.com/db", false],
  ["postgres://u:p@127.0.0.1/neon.tech", false],
])("takes %s for Neon's: %s", (databaseUrl, expected) => {
  expect(isNeon(databaseUrl)).toBe(expected);
});

async function silentServer(): Promise<{ port: number; close: () => void }> {
  const silent: Server = createServer();
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const address = silent.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { port: address.port, close: () => silent.close() };
}
