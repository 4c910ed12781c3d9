import { randomUUID } from "node:crypto";
import { type JWTHeaderParameters, SignJWT, UnsecuredJWT } from "jose";
import { SECRETS } from "./edge.ts";

type Key = Parameters<SignJWT["sign"]>[0];

export interface TokenOptions {
  readonly claims?: Record<string, unknown>;
  readonly header?: JWTHeaderParameters;
  readonly key?: Key;
  /** Unix seconds, or as jose reads it; null for a token that never ends. */
  readonly expires?: string | number | null;
}

/** A token of the tests' issuer: good unless something is asked to be otherwise. */
export async function token(options: TokenOptions = {}): Promise<string> {
  const { claims = {}, header = { alg: "HS256" }, key = secretOf(SECRETS.JWT_SECRET), expires = "1h" } = options;
  const jwt = new SignJWT({ sub: randomUUID(), name: "Ada", ...claims }).setProtectedHeader(header);
  return (expires === null ? jwt : jwt.setExpirationTime(expires)).sign(key);
}

/** RFC 7519, section 6: a token that nobody has signed. */
export function unsignedToken(sub: string): string {
  return new UnsecuredJWT({ sub, name: "Ada" }).setExpirationTime("1h").encode();
}

export function secretOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
