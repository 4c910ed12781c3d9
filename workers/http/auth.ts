import type { Identity } from "../socket.ts";
import * as tokens from "../tokens.ts";
import { HttpRefusal } from "./errors.ts";

const SUBPROTOCOL = "switchboard.v1";
const BEARER = "bearer.";

/** The user behind a request, from `Authorization: Bearer` or the subprotocol `bearer.JWT`; null if nobody. */
export async function authenticate(request: Request, env: tokens.TokenEnv): Promise<Identity | null> {
  const token = tokenOf(request.headers);
  return token === null ? null : refusing(tokens.identify(token, env));
}

export async function signDevelopmentToken(userId: string, name: string, env: tokens.TokenEnv): Promise<string> {
  return refusing(tokens.signDevelopmentToken(userId, name, env));
}

/** @throws HttpRefusal 503 where nothing can be said of any token */
async function refusing<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    if (!(error instanceof tokens.TokensUnavailable)) throw error;
    throw new HttpRefusal(error.refusal.code, error.refusal.message, { status: 503 });
  }
}

/** The subprotocol to select, if the client offered it (RFC 6455, section 4.2.2). */
export function selectedProtocol(headers: Headers): string | null {
  return offeredProtocols(headers).includes(SUBPROTOCOL) ? SUBPROTOCOL : null;
}

export function tokenOf(headers: Headers): string | null {
  const offered = offeredProtocols(headers).find((protocol) => protocol.startsWith(BEARER));
  return bearerOf(headers) ?? offered?.slice(BEARER.length) ?? null;
}

export function bearerOf(headers: Headers): string | null {
  return /^Bearer ([^\s]+)$/i.exec(headers.get("authorization") ?? "")?.[1] ?? null;
}

function offeredProtocols(headers: Headers): string[] {
  return (headers.get("sec-websocket-protocol") ?? "").split(",").map((protocol) => protocol.trim());
}
