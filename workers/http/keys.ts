import { bearerOf } from "./auth.ts";
import { countFailure } from "./rate-limit.ts";

/**
 * For who has a key instead of a token: the app's server, an SFU node.
 * @throws HttpRefusal for who has it not
 */
export async function requireKey(request: Request, key: string, env: Env): Promise<void> {
  if (!(await hasKey(request, key))) throw await countFailure(request, env);
}

async function hasKey(request: Request, key: string): Promise<boolean> {
  const given = bearerOf(request.headers);
  if (given === null || key === "") return false;
  // Digests have one length, so neither the key nor its length shows in the time that this takes.
  const [a, b] = await Promise.all([digest(given), digest(key)]);
  return crypto.subtle.timingSafeEqual(a, b);
}

async function digest(text: string): Promise<ArrayBuffer> {
  return crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
}
