import { jwtVerify, SignJWT } from "jose";
import * as z from "zod";
import { CallId, DeviceId, UserId } from "../../schema/ids.ts";
import { CALL_TOKEN_MS } from "../../schema/limits.ts";

/** A token that a push carries: good for one call and one device, for an app that was killed and has no other. */
export interface CallGrant {
  readonly userId: string;
  readonly callId: string;
  readonly deviceId: string;
}

const AUDIENCE = "switchboard-call";
const Claims = z.object({ sub: UserId, call: CallId, device: DeviceId, exp: z.number() });

interface Secret {
  readonly CALL_TOKEN_SECRET: string;
}

/** @param ringUntil Unix ms; the token outlives the ring by as long as the talk may last */
export async function signCallToken(env: Secret, { userId, callId, deviceId }: CallGrant, ringUntil: number) {
  return new SignJWT({ call: callId, device: deviceId })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(userId)
    .setAudience(AUDIENCE)
    .setExpirationTime(Math.floor((ringUntil + CALL_TOKEN_MS) / 1000))
    .sign(key(env));
}

/** @returns null for what is no such token, or has expired; with when it does, in Unix ms */
export async function verifyCallToken(token: string, env: Secret): Promise<(CallGrant & { expiresAt: number }) | null> {
  try {
    const { payload } = await jwtVerify(token, key(env), { audience: AUDIENCE, algorithms: ["HS256"] });
    const { sub, call, device, exp } = Claims.parse(payload);
    return { userId: sub, callId: call, deviceId: device, expiresAt: exp * 1000 };
  } catch {
    return null;
  }
}

function key({ CALL_TOKEN_SECRET }: Secret): Uint8Array {
  return new TextEncoder().encode(CALL_TOKEN_SECRET);
}
