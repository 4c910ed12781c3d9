import * as z from "zod";

/**
 * Text that every part of the system can keep: Postgres takes neither NUL nor half a surrogate pair,
 * and a name that only the objects could store would never reach the history.
 * @param max UTF-16 code units
 */
export function text(max: number) {
  return z.string().max(max).refine(isStorable, { message: "NUL and lone surrogates are not text" });
}

function isStorable(value: string): boolean {
  return value.isWellFormed() && !value.includes("\0");
}
