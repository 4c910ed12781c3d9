import { TOKEN_NOTICE_MS } from "../schema/limits.ts";
import { CLOSE_EXPIRED, close, errorMessage, type Identity, send } from "./socket.ts";

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
