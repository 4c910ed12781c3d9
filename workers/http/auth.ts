import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify, SignJWT } from "jose";
import * as z from "zod";
import { AvatarUrl, DisplayName } from "../../schema/http.ts";
import { UserId } from "../../schema/ids.ts";
import { failure, log } from "../log.ts";
import type { Identity } from "../socket.ts";
import { HttpRefusal } from "./errors.ts";

/** The claims that matter: `sub` is the user's id, `name` and `picture` keep the user's row fresh. */
const Claims = z.object({
  sub: UserId,
  exp: z.number(),
  name: DisplayName.nullish().catch(null),
  picture: AvatarUrl.nullish().catch(null),
});

const SUBPROTOCOL = "switchboard.v1";
const BEARER = "bearer.";
/** Development tokens live long enough for an afternoon with the demo, and no longer than a week. */
const DEVELOPMENT_TOKEN_LIFE = "7d";

/** What jose says when the issuer's key set does not come, or is none. */
const ISSUERS_FAULTS: ReadonlySet<string> = new Set([
  errors.JOSEError.code,
  errors.JWKSTimeout.code,
  errors.JWKSInvalid.code,
]);

/** Keys are fetched once per isolate and issuer; jose fetches again when it meets a new key id. */
const keySets = new Map<string, ReturnType<typeof createRemoteJWKSet>>();

/** The user behind a request, from `Authorization: Bearer` or the subprotocol `bearer.JWT`; null if nobody. */
export async function authenticate(request: Request, env: Env): Promise<Identity | null> {
  const token = tokenOf(request.headers);
  return token === null ? null : identify(token, env);
}

/**
 * The user whom a token names; null for a token that is not good.
 * @throws HttpRefusal 503 while the issuer's keys are out of reach
 */
export async function identify(token: string, env: Env): Promise<Identity | null> {
  try {
    const { sub, name = null, picture = null, exp } = Claims.parse(await verify(token, env));
    return { userId: sub, name, avatarUrl: picture, expiresAt: exp * 1000 };
  } catch (error) {
    if (isTokensFault(error)) return null;
    log("keys_unavailable", { failure: failure(error) });
    throw new HttpRefusal("internal", "tokens cannot be checked right now, try again", { status: 503 });
  }
}

/** A client told that its token is bad would sign its user out; one whose issuer is out of reach only waits. */
function isTokensFault(error: unknown): boolean {
  if (error instanceof errors.JOSEError) return !ISSUERS_FAULTS.has(error.code);
  return error instanceof z.ZodError;
}

/** The subprotocol to select, if the client offered it (RFC 6455, section 4.2.2). */
export function selectedProtocol(headers: Headers): string | null {
  return offeredProtocols(headers).includes(SUBPROTOCOL) ? SUBPROTOCOL : null;
}

export async function signDevelopmentToken(userId: string, name: string, env: Env): Promise<string> {
  const jwt = new SignJWT({ name }).setProtectedHeader({ alg: "HS256" }).setSubject(userId).setIssuedAt();
  if (env.JWT_ISSUER !== "") jwt.setIssuer(env.JWT_ISSUER);
  if (env.JWT_AUDIENCE !== "") jwt.setAudience(env.JWT_AUDIENCE);
  return jwt.setExpirationTime(DEVELOPMENT_TOKEN_LIFE).sign(secretKey(env));
}

async function verify(token: string, env: Env): Promise<JWTPayload> {
  const expected = {
    requiredClaims: ["sub", "exp"],
    ...(env.JWT_ISSUER !== "" && { issuer: env.JWT_ISSUER }),
    ...(env.JWT_AUDIENCE !== "" && { audience: env.JWT_AUDIENCE }),
  };
  if (env.JWT_JWKS_URL === "") {
    return (await jwtVerify(token, secretKey(env), { ...expected, algorithms: ["HS256"] })).payload;
  }
  // Only asymmetric algorithms: a public key must never be taken for an HMAC secret (RFC 8725, section 3.1).
  const algorithms = ["ES256", "ES384", "EdDSA", "PS256", "RS256"];
  return (await jwtVerify(token, keySet(env.JWT_JWKS_URL), { ...expected, algorithms })).payload;
}

function keySet(url: string): ReturnType<typeof createRemoteJWKSet> {
  const known = keySets.get(url) ?? createRemoteJWKSet(new URL(url));
  keySets.set(url, known);
  return known;
}

function secretKey(env: Env): Uint8Array {
  return new TextEncoder().encode(env.JWT_SECRET);
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
