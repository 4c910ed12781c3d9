import { type FullQueryResults, neon, neonConfig } from "@neondatabase/serverless";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DATABASES, type TestDatabase } from "../../support/databases.ts";

type Sql = ReturnType<typeof neon<false, true>>;

describe.each(DATABASES)("Neon's driver against the endpoint of an $name", ({ open }) => {
  let database: TestDatabase;
  let sql: Sql;
  const url = (path = "/sql") => `http://${database.postgres.neonLocal}${path}`;

  beforeAll(async () => {
    database = await open();
    neonConfig.fetchEndpoint = url();
    sql = neon(database.postgres.databaseUrl, { fullResults: true });
    await sql`create table account (id int primary key, name varchar(5) not null, info jsonb)`;
  });
  afterAll(() => database.close());

  it("reads values of every common type as the driver parses them", async () => {
    const { rows } = await sql`
      select ${1}::int as number, ${"a"}::text as text, ${true}::boolean as truth, ${null}::int as nothing,
        ${{ a: [1] }}::jsonb as json, ${5}::bigint as big, ${"2026-01-02T03:04:05.678Z"}::timestamptz at time zone 'UTC' as at`;
    expect(rows).toEqual([
      { number: 1, text: "a", truth: true, nothing: null, json: { a: [1] }, big: "5", at: expect.anything() },
    ]);
  });

  it("counts the rows that a command changed", async () => {
    const inserted = await sql`insert into account values (100, 'x', null), (101, 'y', null)`;
    expect(inserted).toMatchObject({ command: "INSERT", rowCount: 2, rows: [] });
  });

  it("commits a transaction as one", async () => {
    const results: FullQueryResults<false>[] = await sql.transaction([
      sql`insert into account values (1, 'Ann', null)`,
      sql`select name from account where id = 1`,
    ]);
    expect(results[1]?.rows).toEqual([{ name: "Ann" }]);
  });

  it("keeps nothing of a transaction in which one statement fails", async () => {
    const failed = sql.transaction([
      sql`insert into account values (2, 'Bob', null)`,
      sql`insert into account values (2, 'Bea', null)`,
    ]);
    await expect(failed).rejects.toMatchObject({
      code: "23505",
      severity: "ERROR",
      constraint: "account_pkey",
      table: "account",
      detail: "Key (id)=(2) already exists.",
    });
    expect((await sql`select * from account where id = 2`).rows).toEqual([]);
  });

  it("goes on after an error inside a transaction", async () => {
    await expect(sql.transaction([sql`select 1/0`])).rejects.toMatchObject({ code: "22012" });
    expect((await sql`select 1 as one`).rows).toEqual([{ one: 1 }]);
  });

  it("honours the isolation level and read-only", async () => {
    const [level] = await sql.transaction([sql`show transaction_isolation`], { isolationLevel: "Serializable" });
    expect(level?.rows).toEqual([{ transaction_isolation: "serializable" }]);
    const write = sql.transaction([sql`insert into account values (3, 'Cy', null)`], { readOnly: true });
    await expect(write).rejects.toMatchObject({ code: "25006" });
  });

  it("refuses who does not have the key of this run", async () => {
    const stranger = neon("postgres://switchboard:guessed@127.0.0.1/switchboard");
    await expect(stranger`select 1`).rejects.toMatchObject({ code: "28P01" });
    // As a page in a browser could send it without being asked first.
    const response = await fetch(url(), { method: "POST", body: '{"query":"select 1"}' });
    expect(response.status).toBe(400);
  });

  it("refuses what is not a query, and a body over its limit", async () => {
    const headers = { "neon-connection-string": database.postgres.databaseUrl };
    const post = (body: string) => fetch(url(), { method: "POST", headers, body }).then(({ status }) => status);
    expect(await post('{"query":1}')).toBe(400);
    expect(await post("{")).toBe(400);
    expect(await post("x".repeat(17 * 1024 * 1024))).toBe(413);
    expect((await fetch(url("/else"))).status).toBe(404);
  });

  it("is down and up again on the same port", async () => {
    const { endpoint, neonLocal } = database.postgres;
    await endpoint?.stop();
    await expect(sql`select 1`).rejects.toThrow("Error connecting to database");
    await endpoint?.start();
    expect(endpoint?.hostPort).toBe(neonLocal);
    expect((await sql`select 1 as one`).rows).toEqual([{ one: 1 }]);
  });
});
