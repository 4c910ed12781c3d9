import * as z from "zod";

/** Neon's SQL over HTTP, as far as its driver speaks it: one query, or many in one transaction. */

const Query = z.object({ query: z.string(), params: z.array(z.string().nullable()).default([]) });
export type Query = z.infer<typeof Query>;

const Json = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue("not JSON");
    return z.NEVER;
  }
});

/** The body of a request. A transaction first: the shape of a single query would otherwise drop its list. */
export const SqlRequest = Json.pipe(z.union([z.object({ queries: z.array(Query) }), Query]));
export type SqlRequest = z.infer<typeof SqlRequest>;

/** Values as Postgres prints them; the driver parses them by `dataTypeID`. */
export interface QueryResult {
  readonly command: string;
  readonly rowCount: number;
  readonly rowAsArray: true;
  readonly fields: readonly { readonly name: string; readonly dataTypeID: number }[];
  readonly rows: readonly (readonly unknown[])[];
}

export interface TransactionOptions {
  readonly isolation: string | undefined;
  readonly readOnly: boolean;
}

/** What runs the SQL: a Postgres inside this process or one elsewhere. */
export interface Engine {
  query(query: Query): Promise<QueryResult>;
  transaction(queries: readonly Query[], options: TransactionOptions): Promise<readonly QueryResult[]>;
  close(): Promise<void>;
}

const ISOLATION: Readonly<Record<string, string>> = {
  ReadUncommitted: "read uncommitted",
  ReadCommitted: "read committed",
  RepeatableRead: "repeatable read",
  Serializable: "serializable",
};

export function transactionOptions(headers: Readonly<Record<string, unknown>>): TransactionOptions {
  return {
    isolation: ISOLATION[String(headers["neon-batch-isolation-level"])],
    readOnly: headers["neon-batch-read-only"] === "true",
  };
}

/** The statement that gives an open transaction its options. */
export function setTransaction({ isolation, readOnly }: TransactionOptions): string {
  return `set transaction ${isolation ? `isolation level ${isolation}, ` : ""}${readOnly ? "read only" : "read write"}`;
}

const text = z.string().optional().catch(undefined);

/** An error of Postgres itself: it has an SQLSTATE and a severity. Those of a socket have neither. */
const DatabaseError = z.object({
  message: z.string(),
  severity: z.string(),
  code: z.string().length(5),
  detail: text,
  hint: text,
  position: text,
  internalPosition: text,
  internalQuery: text,
  where: text,
  schema: text,
  table: text,
  column: text,
  dataType: text,
  constraint: text,
  file: text,
  line: text,
  routine: text,
});
export type DatabaseError = z.infer<typeof DatabaseError>;

/** The error as the driver expects it in the body of a 400, or `undefined` if Postgres did not say it. */
export function databaseError(error: unknown): DatabaseError | undefined {
  const parsed = DatabaseError.safeParse(error);
  return parsed.success ? parsed.data : undefined;
}
