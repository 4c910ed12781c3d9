import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify, SignJWT } from "jose";
import * as z from "zod";
import type { Refusal } from "../schema/errors.ts";
import { AvatarUrl, DisplayName } from "../schema/http.ts";
import { UserId } from "../schema/ids.ts";
import { failure, log } from "./log.ts";
import type { Identity } from "./socket.ts";

/** The tokens of the app's users (RFC 7519): who stands behind one. */

export interface TokenEnv {
  /** Of the issuer's JSON Web Key Set; empty: tokens are HS256 with `JWT_SECRET`. One of the two is needed. */
  readonly JWT_JWKS_URL: string;
  readonly JWT_SECRET?: string;
  /** Empty: not checked. */
  readonly JWT_ISSUER: string;
  readonly JWT_AUDIENCE: string;
}

/** No token can be told from another right now: that is not the tokens' fault. */
export class TokensUnavailable extends Error {
  readonly refusal: Refusal;

  constructor(message: string) {
    super(message);
    this.name = "TokensUnavailable";
    this.refusal = { code: "internal", message };
  }
}

/** The claims that matter: `sub` is the user's id, `name` and `picture` keep the user's row fresh. */
const Claims = z.object({
  sub: UserId,
  exp: z.number(),
  name: DisplayName.nullish().catch(null),
  picture: AvatarUrl.nullish().catch(null),
});

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

/**
 * The user whom a token names; null for a token that is not good.
 * @throws TokensUnavailable while the issuer's keys are out of reach, and where there is nothing to check tokens with
 */
export async function identify(token: string, env: TokenEnv): Promise<Identity | null> {
  try {
    const { sub, name = null, picture = null, exp } = Claims.parse(await verify(token, env));
    return { userId: sub, name, avatarUrl: picture, expiresAt: exp * 1000 };
  } catch (error) {
    if (isTokensFault(error)) return null;
    if (error instanceof TokensUnavailable) throw error;
    log("keys_unavailable", { failure: failure(error) });
    throw new TokensUnavailable("tokens cannot be checked right now, try again");
  }
}

/** @throws TokensUnavailable without a secret to sign with */
export async function signDevelopmentToken(userId: string, name: string, env: TokenEnv): Promise<string> {
  const jwt = new SignJWT({ name }).setProtectedHeader({ alg: "HS256" }).setSubject(userId).setIssuedAt();
  if (env.JWT_ISSUER !== "") jwt.setIssuer(env.JWT_ISSUER);
  if (env.JWT_AUDIENCE !== "") jwt.setAudience(env.JWT_AUDIENCE);
  return jwt.setExpirationTime(DEVELOPMENT_TOKEN_LIFE).sign(secretKey(env));
}

/** A client told that its token is bad would sign its user out; one whose issuer is out of reach only waits. */
function isTokensFault(error: unknown): boolean {
  if (error instanceof errors.JOSEError) return !ISSUERS_FAULTS.has(error.code);
  return error instanceof z.ZodError;
}

async function verify(token: string, env: TokenEnv): Promise<JWTPayload> {
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

/** Without one anybody could sign with the empty secret. */
function secretKey({ JWT_SECRET = "" }: TokenEnv): Uint8Array {
  if (JWT_SECRET !== "") return new TextEncoder().encode(JWT_SECRET);
  log("tokens_unconfigured");
  throw new TokensUnavailable("this deployment cannot check tokens: it needs JWT_SECRET, or JWT_JWKS_URL");
}
