import { HttpRefusal } from "./errors.ts";

/** Of the rate limit in wrangler.toml. */
const PERIOD_MS = 60_000;

/**
 * What a request hears whose token or key is none. Only failures count, by address, and only they are refused: a valid
 * one gets through whatever others behind the same address do.
 */
export async function countFailure(request: Request, env: Env): Promise<HttpRefusal> {
  const address = request.headers.get("cf-connecting-ip") ?? "unknown";
  const { success } = await env.FAILED_TOKENS.limit({ key: address });
  if (success) return new HttpRefusal("unauthorized", "a valid token or key is needed");
  return new HttpRefusal("rate_limited", "too many requests without a valid token or key", { retryAfterMs: PERIOD_MS });
}
