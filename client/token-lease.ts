import * as z from "zod";
import { claimsOf } from "./jwt.ts";

interface TokenLeaseOptions {
  /** A fresh token of the app's. */
  readonly token: () => Promise<string>;
  /** Tells the server of it. */
  readonly renew: (token: string) => void;
  /** Unix time in ms. */
  readonly now: () => number;
}

/** RFC 7519, section 4.1.4. */
const Claims = z.object({ exp: z.number() });

/** Time for the app's server to answer. Earlier only asks it more often. */
const AHEAD_MS = 60_000;
/** What `setTimeout` can count to. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** Renews the token of an open socket before it expires, so that the socket stays. */
export class TokenLease {
  readonly #options: TokenLeaseOptions;
  #expiresAt: number | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: TokenLeaseOptions) {
    this.#options = options;
  }

  /** The socket is open on the strength of this token. */
  holds(token: string): void {
    this.end();
    this.#expiresAt = expiryOf(token);
    if (this.#expiresAt === null) return;
    const left = this.#expiresAt - this.#options.now();
    // A token that lives shorter than that is renewed half way.
    this.#timer = setTimeout(() => void this.renew(), Math.min(Math.max(left - AHEAD_MS, left / 2), MAX_TIMEOUT_MS));
  }

  /** Also when the server says that it is high time. A token that is no newer is of no use. */
  async renew(): Promise<void> {
    const token = await this.#options.token().catch(() => null);
    const expiresAt = token === null ? null : expiryOf(token);
    if (token === null || expiresAt === null || expiresAt <= (this.#expiresAt ?? 0)) return;
    this.#options.renew(token);
    this.holds(token);
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}

/** Unix ms; null for a token that does not say. */
function expiryOf(token: string): number | null {
  const claims = Claims.safeParse(claimsOf(token));
  return claims.success ? claims.data.exp * 1000 : null;
}
