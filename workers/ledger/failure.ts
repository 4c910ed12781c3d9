import * as z from "zod";

/** Why a write did not happen: the database refused the content, or it was not there to be asked. */
export type Failure =
  | { readonly kind: "refused"; readonly code: string; readonly constraint: string | null }
  | { readonly kind: "unavailable"; readonly code: string | null };

/** drizzle wraps what the driver throws. */
const Wrapped = z.object({ cause: z.unknown() });

const DatabaseError = z.object({
  code: z.string().regex(/^[0-9A-Z]{5}$/),
  constraint: z.string().nullish(),
});

/**
 * Classes of SQLSTATE (PostgreSQL, appendix A) that speak about the data of a statement: cardinality,
 * data, integrity, what a trigger raises, a view's check, a limit of size. Every other one, such as
 * a missing table, would meet any event, and no event may be given up for it.
 */
const ABOUT_DATA: ReadonlySet<string> = new Set(["21", "22", "23", "P0", "44", "54"]);

export function failureOf(error: unknown): Failure {
  const wrapped = Wrapped.safeParse(error);
  const said = DatabaseError.safeParse(error).data ?? DatabaseError.safeParse(wrapped.data?.cause).data;
  if (!said) return { kind: "unavailable", code: null };
  if (!ABOUT_DATA.has(said.code.slice(0, 2))) return { kind: "unavailable", code: said.code };
  return { kind: "refused", code: said.code, constraint: said.constraint ?? null };
}
