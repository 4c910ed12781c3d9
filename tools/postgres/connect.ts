import pg from "pg";
import { SetupError } from "../setup/setup-error.ts";
import { databaseError } from "./neon-protocol.ts";

/** A person waits for this. */
const CONNECT_MS = 4_000;

/**
 * A first connection, to learn whether there is a database to work with.
 * @throws SetupError `database_url`, `database_down`, `database_refused`
 */
export async function connect(databaseUrl: string): Promise<pg.Client> {
  const where = place(databaseUrl);
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: CONNECT_MS });
  client.on("error", () => {});
  try {
    await client.connect();
    return client;
  } catch (error) {
    throw explained(error, where);
  }
}

/** The database in words, without its password. */
function place(databaseUrl: string): string {
  const url = URL.parse(databaseUrl);
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol)) {
    throw new SetupError(
      "database_url",
      "DATABASE_URL is not the address of a Postgres",
      "It looks like postgres://user:password@host:5432/database. Without it an embedded Postgres is used.",
    );
  }
  return `${decodeURIComponent(url.username) || "the default user"} at ${url.host || "localhost"}${url.pathname}`;
}

function explained(error: unknown, where: string): SetupError {
  const said = databaseError(error);
  switch (said?.code) {
    case "28P01":
    case "28000":
      return new SetupError(
        "database_refused",
        `Postgres refused ${where}: ${said.message}`,
        "Check the user and the password in DATABASE_URL; characters such as @ and / are percent-encoded there.",
      );
    case "3D000":
      return new SetupError(
        "database_refused",
        `Postgres refused ${where}: ${said.message}`,
        "Create the database, for instance with createdb, or correct the name in DATABASE_URL.",
      );
    default:
      return new SetupError(
        "database_down",
        `Postgres does not answer ${where}: ${said?.message ?? reason(error)}`,
        "Start it, or correct DATABASE_URL; without DATABASE_URL an embedded Postgres is used.",
      );
  }
}

/** Node reports a host with several addresses as one error of many, whose own message is empty. */
function reason(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reason(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}
