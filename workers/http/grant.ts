import type { Identity } from "../socket.ts";
import { tokenOf } from "./auth.ts";
import { type CallGrant, verifyCallToken } from "./call-token.ts";

/** What a token of a call opens: that call's routes, and its socket. */
const ROUTES = [
  /^get \/api\/calls\/([0-9a-f-]{36})$/,
  /^post \/api\/calls\/([0-9a-f-]{36})\/(?:alerting|answer|decline|end)$/,
  /^get \/calls\/([0-9a-f-]{36})\/ws$/,
];

/** Who asks with a token of the call that the request is about; null for any other request. */
export async function grantFor(request: Request, env: Env): Promise<(CallGrant & { identity: Identity }) | null> {
  const asked = `${request.method} ${new URL(request.url).pathname}`.toLowerCase();
  const [about] = ROUTES.flatMap((route) => route.exec(asked)?.[1] ?? []);
  const token = tokenOf(request.headers);
  const grant = token === null ? null : await verifyCallToken(token, env);
  if (!grant || grant.callId !== about) return null;
  const { userId, callId, deviceId, expiresAt } = grant;
  return { userId, callId, deviceId, identity: { userId, name: null, avatarUrl: null, expiresAt, deviceId } };
}
