import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import * as z from "zod";
import { describe, type ErrorCode, type Refusal } from "../../schema/errors.ts";
import { Uuid } from "../../schema/ids.ts";

/** A request that is refused; thrown by routes, turned into an answer in one place. */
export class HttpRefusal extends Error {
  readonly refusal: Refusal;
  readonly status: ContentfulStatusCode;

  constructor(code: ErrorCode, message: string, more: { status?: ContentfulStatusCode; retryAfterMs?: number } = {}) {
    super(message);
    const { status = statusOf(code), retryAfterMs } = more;
    this.refusal = { code, message, ...(retryAfterMs !== undefined && { retryAfterMs }) };
    this.status = status;
  }
}

function statusOf(code: ErrorCode): ContentfulStatusCode {
  switch (code) {
    case "bad_message":
    case "callee_unknown":
    case "too_many_participants":
      return 400;
    case "unauthorized":
      return 401;
    case "forbidden":
    case "not_in_call":
      return 403;
    case "not_found":
    case "call_not_found":
      return 404;
    case "too_large":
      return 413;
    case "rate_limited":
      return 429;
    case "internal":
      return 500;
    case "unsupported":
      return 501;
    case "room_unavailable":
      return 503;
  }
}

export function refuse(context: Context, { refusal, status }: HttpRefusal): Response {
  const { retryAfterMs, ...error } = refusal;
  const headers = retryAfterMs === undefined ? {} : { "retry-after": String(Math.ceil(retryAfterMs / 1000)) };
  return context.json({ error }, status, headers);
}

/** The input as the schema says, or a refusal that names the field. */
export function parse<T extends z.ZodType>(schema: T, input: unknown): z.output<T> {
  const parsed = schema.safeParse(input);
  if (!parsed.success) throw new HttpRefusal("bad_message", describe(parsed.error));
  return parsed.data;
}

const Path = z.object({ id: Uuid });

/** Whom or what a route is about: the `:id` of its path. */
export function pathId(context: Context): string {
  return parse(Path, context.req.param()).id;
}

/** The same, where no body is an empty one. */
export async function parseOptionalBody<T extends z.ZodType>(context: Context, schema: T): Promise<z.output<T>> {
  const isEmpty = (await context.req.text()) === "";
  return isEmpty ? parse(schema, {}) : parseBody(context, schema);
}

/** A JSON body as the schema says. */
export async function parseBody<T extends z.ZodType>(context: Context, schema: T): Promise<z.output<T>> {
  const body: unknown = await context.req.json().catch(() => {
    throw new HttpRefusal("bad_message", "the body is not JSON");
  });
  return parse(schema, body);
}
