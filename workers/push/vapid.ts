import { createECDH } from "node:crypto";
import { importJWK, SignJWT } from "jose";
import * as z from "zod";
import { parseJson } from "../../schema/json.ts";

/** Voluntary application server identification (RFC 8292). */

export interface VapidEnv {
  /** A P-256 key: a JWK, or the base64url of its 32 bytes. */
  readonly VAPID_PRIVATE_KEY?: string;
  readonly VAPID_SUBJECT: string;
}

export interface VapidKeys {
  readonly privateKey: { readonly kty: "EC"; readonly crv: "P-256"; x: string; y: string; d: string };
  /** As `applicationServerKey` takes it: the uncompressed point in base64url. */
  readonly publicKey: string;
}

const Jwk = z.object({ kty: z.literal("EC"), crv: z.literal("P-256"), d: z.string() });
const Raw = z.string().regex(/^[A-Za-z0-9_-]{43}$/);

/** Push services refuse more than 24 h (RFC 8292, section 2). */
const EXPIRES = "12h";

/** @returns null without a key, or for one that is none */
export function vapidKeys({ VAPID_PRIVATE_KEY = "" }: VapidEnv): VapidKeys | null {
  const raw = Raw.safeParse(Jwk.safeParse(parseJson(VAPID_PRIVATE_KEY)).data?.d ?? VAPID_PRIVATE_KEY);
  if (!raw.success) return null;
  const curve = createECDH("prime256v1");
  try {
    curve.setPrivateKey(raw.data, "base64url");
  } catch {
    return null;
  }
  const point = Buffer.from(curve.getPublicKey());
  const [x, y] = [point.subarray(1, 33).toString("base64url"), point.subarray(33).toString("base64url")];
  return { privateKey: { kty: "EC", crv: "P-256", x, y, d: raw.data }, publicKey: point.toString("base64url") };
}

/** The header that a push service knows us by. Without a subject it cannot write to us, which some insist on. */
export async function vapidAuthorization(keys: VapidKeys, subject: string, endpoint: URL): Promise<string> {
  const jwt = new SignJWT(subject === "" ? {} : { sub: subject })
    .setProtectedHeader({ alg: "ES256", typ: "JWT" })
    .setAudience(endpoint.origin)
    .setExpirationTime(EXPIRES);
  return `vapid t=${await jwt.sign(await importJWK(keys.privateKey, "ES256"))}, k=${keys.publicKey}`;
}
