import { expect } from "vitest";
import { type ErrorCode, HttpError } from "../../schema/errors.ts";

/** What an answer must never hold: lines of a stack, names of source files, dumps of errors. */
export const LEAK = /\bat \S+ ?\(|\bat async\b|\.[jt]s\b|node_modules|\b[A-Z]\w*Error\b|\bstack\b/;

const Refusal = HttpError.strict();

/** Fails unless the answer is that refusal and nothing more. */
export async function expectRefusal(answer: Response, status: number, code: ErrorCode): Promise<void> {
  const body = await answer.text();
  expect({ status: answer.status, body: JSON.parse(body) }).toMatchObject({ status, body: { error: { code } } });
  Refusal.parse(JSON.parse(body));
  expect(body).not.toMatch(LEAK);
  expect(answer.headers.get("content-type")).toBe("application/json");
}
