import * as z from "zod";

/** Typed reasons for which a request or a message is refused. */
export const ErrorCode = z.enum([
  "bad_message",
  "unauthorized",
  "forbidden",
  "not_found",
  "call_not_found",
  "not_in_call",
  "rate_limited",
  "callee_unknown",
  "too_many_participants",
  "room_unavailable",
  "unsupported",
  "too_large",
  "internal",
]);
export type ErrorCode = z.infer<typeof ErrorCode>;

/** What was refused and why, in words for the app's developer. Never a stack, never a secret. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
  /** With `rate_limited`: when it may be tried again. */
  readonly retryAfterMs?: number;
}

/** The body of every HTTP error. */
export const HttpError = z.object({ error: z.object({ code: ErrorCode, message: z.string() }) });

/**
 * The first issue of a failed validation as one line: where, and what was expected.
 * Input is not repeated, so nothing a sender wrote can come back or reach a log.
 */
export function describe(error: z.ZodError): string {
  const issue = error.issues[0];
  if (!issue) return "invalid";
  const path = issue.path.join(".");
  return path === "" ? issue.message : `${path}: ${issue.message}`;
}
