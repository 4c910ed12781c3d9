import * as z from "zod";

const UNSTORABLE = "NUL and lone surrogates are not text";

/**
 * Text that every part of the system can keep: Postgres takes neither NUL nor half a surrogate pair,
 * and a name that only the objects could store would never reach the history.
 * @param max UTF-16 code units
 */
export function text(max: number) {
  return z.string().max(max).refine(isStorable, { message: UNSTORABLE });
}

/**
 * A URL that a page can show a picture from, and that every part of the system can keep: parsers
 * escape what Postgres refuses, but it is the text as it came that is stored.
 * @param max UTF-16 code units
 */
export function webUrl(max: number) {
  return z
    .url({ protocol: /^https?$/ })
    .max(max)
    .refine(isStorable, { message: UNSTORABLE });
}

function isStorable(value: string): boolean {
  return value.isWellFormed() && !value.includes("\0");
}
