import type { TokenRefresh } from "../schema/client-messages.ts";
import type { Refusal } from "../schema/errors.ts";
import { TOKEN_NOTICE_MS } from "../schema/limits.ts";
import type { ServerMessage } from "../schema/server-messages.ts";
import { isoTimestamp } from "../schema/time.ts";
import { CLOSE_EXPIRED, close, errorMessage, type Identity, send } from "./socket.ts";
import { identify, type TokenEnv, TokensUnavailable } from "./tokens.ts";

const NOT_THEIRS: Refusal = { code: "unauthorized", message: "token: not a valid one of this user" };

/** A socket is open as long as the token that opened it, or a newer one, is good: kept in its attachment. */
export interface TokenLease {
  readonly identity: Identity;
  /** The device has been told that its token has expired. */
  readonly isNoticed: boolean;
}

/** When the socket's token is next to be looked at, in Unix ms. */
export function leaseDeadline({ identity, isNoticed }: TokenLease): number {
  return isNoticed ? identity.expiresAt + TOKEN_NOTICE_MS : identity.expiresAt;
}

/** Gives notice of an expired token, and closes the socket after it. @returns the lease as it is now */
export function expire(socket: WebSocket, lease: TokenLease, now: number): TokenLease {
  if (now < leaseDeadline(lease)) return lease;
  if (lease.isNoticed) {
    close(socket, CLOSE_EXPIRED, "the token has expired");
    return lease;
  }
  const message = "the token has expired: send token_refresh, or this socket closes in a minute";
  send(socket, [errorMessage({ code: "unauthorized", message }, undefined)]);
  return { ...lease, isNoticed: true };
}

export interface Renewal {
  /** Null for what is no valid token of the socket's user. */
  readonly lease: TokenLease | null;
  readonly reply: ServerMessage;
}

/** What becomes of a `token_refresh` for the socket of this user. */
export async function renewal(userId: string, { id, token }: TokenRefresh, env: TokenEnv): Promise<Renewal> {
  const refused = (refusal: Refusal) => ({ lease: null, reply: errorMessage(refusal, id) });
  try {
    const identity = await identify(token, env);
    if (identity?.userId !== userId) return refused(NOT_THEIRS);
    const expiresAt = isoTimestamp(identity.expiresAt);
    const reply = { type: "token_refreshed" as const, ...(id !== undefined && { re: id }), expiresAt };
    return { lease: { identity, isNoticed: false }, reply };
  } catch (error) {
    if (error instanceof TokensUnavailable) return refused(error.refusal);
    throw error;
  }
}
