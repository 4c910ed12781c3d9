import { createHmac } from "node:crypto";

/** Seconds that a client may use a credential. Longer only helps whoever copied one. */
export const TTL = 300;
/** Seconds that it really lives longer, for clocks that run apart. */
export const MARGIN = 60;

/**
 * HMAC-SHA1 over `expiry:user`, which coturn's `use-auth-secret` checks without asking anybody
 * (draft-uberti-behave-turn-rest). It says nothing of the realm.
 */
export function turnCredential(userId: string, secret: string, now: number): { username: string; credential: string } {
  const username = `${Math.floor(now / 1000) + TTL + MARGIN}:${userId}`;
  return { username, credential: createHmac("sha1", secret).update(username).digest("base64") };
}
