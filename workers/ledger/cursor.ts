import * as z from "zod";
import type { Refusal } from "../../schema/errors.ts";
import { CallId, Timestamp } from "../../schema/ids.ts";
import { isoTimestamp } from "../../schema/time.ts";

/** Where a page of the history ended: the call after it is the next older one. */
export interface Position {
  readonly createdAt: Date;
  readonly id: string;
}

/** The cursor is none of ours, or was changed on its way. */
export class CursorRefused extends Error {
  readonly refusal: Refusal = { code: "bad_message", message: "cursor: not one of a previous answer" };

  constructor() {
    super("cursor refused");
    this.name = "CursorRefused";
  }
}

/** No call is older than Unix time; a year 0, which Postgres does not have, would look as if it were down. */
const CreatedAt = Timestamp.refine((time) => Date.parse(time) >= 0);
const Parts = z.tuple([CreatedAt, CallId]);

/** Opaque to clients, so that what it holds may change. */
export function encodeCursor({ createdAt, id }: Position): string {
  return btoa(`${isoTimestamp(createdAt.getTime())} ${id}`)
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/** @throws CursorRefused */
export function decodeCursor(cursor: string): Position {
  const parts = Parts.safeParse(base64(cursor)?.split(" "));
  if (!parts.success) throw new CursorRefused();
  const [createdAt, id] = parts.data;
  return { createdAt: new Date(createdAt), id };
}

function base64(text: string): string | undefined {
  try {
    return atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    return undefined;
  }
}
