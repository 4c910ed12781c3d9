import { neon, neonConfig } from "@neondatabase/serverless";
import { drizzle, type NeonHttpDatabase } from "drizzle-orm/neon-http";

export type Database = NeonHttpDatabase;

export interface DatabaseEnv {
  readonly DATABASE_URL: string;
  /** host:port of an endpoint that speaks Neon's protocol; empty: Neon's own. */
  readonly NEON_LOCAL: string;
}

/** A database that says nothing for this long counts as down. Longer holds back the queue's next batch. */
const ANSWER_MS = 10_000;

const neonEndpoint = neonConfig.fetchEndpoint;

/** Over HTTP, a request per transaction: there is no connection to keep, so nothing to close. */
export function openDatabase(env: DatabaseEnv): Database {
  neonConfig.fetchEndpoint = env.NEON_LOCAL === "" ? neonEndpoint : `http://${env.NEON_LOCAL}/sql`;
  neonConfig.fetchFunction = (url: string, init: RequestInit) =>
    fetch(url, { ...init, signal: AbortSignal.timeout(ANSWER_MS) });
  return drizzle(neon(env.DATABASE_URL));
}
