import { join } from "node:path";
import { PGlite, type QueryOptions, type Results, type Transaction } from "@electric-sql/pglite";
import { lockFolder } from "../setup/folder-lock.ts";
import { SetupError } from "../setup/setup-error.ts";
import { type Engine, type Query, type QueryResult, setTransaction } from "./neon-protocol.ts";

/** Postgres inside this process, its data in a folder. */
export interface EmbeddedPostgres {
  readonly database: PGlite;
  readonly engine: Engine;
}

/**
 * @param dataDir the folder that keeps the data; only one process may have it open
 * @throws SetupError `data_in_use`, `data_broken`
 */
export async function openEmbedded(dataDir: string): Promise<EmbeddedPostgres> {
  const release = lockFolder(dataDir);
  try {
    const database = await PGlite.create(join(dataDir, "postgres"));
    return { database, engine: embeddedEngine(database, release) };
  } catch (error) {
    release();
    throw new SetupError(
      "data_broken",
      `the database in ${dataDir} does not open: ${error instanceof Error ? error.message : error}`,
      "If an interrupted run left it like this, move the folder away and start again; the history in it is then gone.",
    );
  }
}

export function embeddedEngine(database: PGlite, release: () => void = () => {}): Engine {
  const raw = rawText(database);
  const run = async (on: PGlite | Transaction, { query, params }: Query) => result(await on.query(query, params, raw));
  return {
    query: (query) => run(database, query),
    transaction: (queries, options) =>
      database.transaction(async (transaction) => {
        await transaction.exec(setTransaction(options));
        const results: QueryResult[] = [];
        for (const query of queries) results.push(await run(transaction, query));
        return results;
      }),
    close: async () => {
      await database.close();
      release();
    },
  };
}

/** Both ways as text, which is how Neon's driver sends and expects values. */
function rawText(database: PGlite): QueryOptions {
  const same = (value: unknown) => value;
  const types = Object.keys({ ...database.parsers, ...database.serializers });
  const text = Object.fromEntries(types.map((type) => [type, String]));
  return { rowMode: "array", parsers: Object.fromEntries(types.map((type) => [type, same])), serializers: text };
}

function result({ rows, fields, affectedRows, command }: Results<unknown[]>): QueryResult {
  return { command: command ?? "", rowCount: rows.length || (affectedRows ?? 0), rowAsArray: true, fields, rows };
}
