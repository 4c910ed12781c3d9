import pg from "pg";
import { type Engine, type Query, type QueryResult, setTransaction } from "./neon-protocol.ts";

/** Postgres' own text: Neon's driver parses it. */
const RAW = { getTypeParser: () => (value: unknown) => value };

/** An ordinary Postgres as an engine. Its server may go and come back: each query finds it again. */
export function serverEngine(databaseUrl: string): Engine {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 10, connectionTimeoutMillis: 5_000 });
  // An idle connection that breaks is replaced by the next query; without a listener it would end the process.
  pool.on("error", () => {});
  return {
    query: (query) => run(pool, query),
    transaction: async (queries, options) => {
      const client = await pool.connect();
      try {
        return await transact(client, queries, setTransaction(options));
      } finally {
        client.release();
      }
    },
    close: () => pool.end(),
  };
}

async function transact(client: pg.PoolClient, queries: readonly Query[], options: string): Promise<QueryResult[]> {
  try {
    await client.query("begin");
    await client.query(options);
    const results: QueryResult[] = [];
    for (const query of queries) results.push(await run(client, query));
    await client.query("commit");
    return results;
  } catch (error) {
    await client.query("rollback").catch(() => {});
    throw error;
  }
}

async function run(on: pg.Pool | pg.PoolClient, { query, params }: Query): Promise<QueryResult> {
  const { command, rowCount, fields, rows } = await on.query<unknown[]>({
    text: query,
    values: params,
    rowMode: "array",
    types: RAW,
  });
  return {
    command,
    rowCount: rowCount ?? 0,
    rowAsArray: true,
    fields: fields.map(({ name, dataTypeID }) => ({ name, dataTypeID })),
    rows,
  };
}
