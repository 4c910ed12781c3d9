import { importPKCS8, SignJWT } from "jose";
import * as z from "zod";
import { parseJson } from "../../schema/json.ts";
import { failure, log } from "../log.ts";
import { Credential, type Made } from "./credential.ts";
import { post } from "./post.ts";
import { type Outgoing, type Sent, sentBy, ttlSeconds } from "./provider.ts";

/** Firebase Cloud Messaging, HTTP v1. */

export interface FcmEnv {
  /** The JSON of a service account's key. */
  readonly FCM_SERVICE_ACCOUNT?: string;
  readonly FCM_TOKEN_URL: string;
  readonly FCM_API_URL: string;
}

const ServiceAccount = z.object({
  project_id: z.string().min(1),
  client_email: z.string().min(1),
  private_key: z.string().min(1),
  private_key_id: z.string().optional(),
});
type ServiceAccount = z.infer<typeof ServiceAccount>;

const TokenAnswer = z.object({ access_token: z.string().min(1), expires_in: z.number().positive() });
const ErrorAnswer = z.object({
  error: z.object({ details: z.array(z.object({ errorCode: z.string().optional() })).optional() }),
});

const SCOPE = "https://www.googleapis.com/auth/firebase.messaging";
/** Not used in its last minute: it must still be good when it arrives. */
const MARGIN_MS = 60_000;
/** The app was removed. A token of another sender is kept: the mistake may well be in our settings. */
const DEAD_CODE = "UNREGISTERED";

const accessToken = new Credential();

export async function sendFcm(env: FcmEnv, push: Outgoing): Promise<Sent> {
  const account = ServiceAccount.safeParse(parseJson(env.FCM_SERVICE_ACCOUNT ?? ""));
  if (!account.success) return { kind: "unconfigured" };
  const { private_key, project_id } = account.data;
  const bearer = await accessToken.get(private_key + env.FCM_TOKEN_URL, () => requestToken(env, account.data));
  if (typeof bearer !== "string") return bearer;
  const url = new URL(`/v1/projects/${encodeURIComponent(project_id)}/messages:send`, env.FCM_API_URL);
  const headers = { authorization: `Bearer ${bearer}`, "content-type": "application/json" };
  const answer = await post(url, { headers, body: JSON.stringify(messageOf(push, Date.now())) }, true);
  const { status } = answer;
  if (status === 401) {
    accessToken.drop();
    return { kind: "busy", status, retryAfter: null };
  }
  return isDead(answer.text) ? { kind: "dead", status } : sentBy(answer);
}

/** A data message, so that the app itself decides whether to ring; what comes later takes the place of what waits. */
function messageOf(push: Outgoing, now: number) {
  const android = { priority: "HIGH", ttl: `${ttlSeconds(push, now)}s`, collapse_key: push.callId };
  return { message: { token: push.token, data: { switchboard: JSON.stringify(push.payload) }, android } };
}

function isDead(text: string): boolean {
  const parsed = ErrorAnswer.safeParse(parseJson(text));
  return parsed.success && (parsed.data.error.details ?? []).some(({ errorCode }) => errorCode === DEAD_CODE);
}

/** OAuth 2.0 with an assertion that is signed by the account's key (RFC 7523). */
async function requestToken(env: FcmEnv, account: ServiceAccount): Promise<Made | Sent> {
  const assertion = await assertionOf(env, account);
  if (assertion === null) return { kind: "unconfigured" };
  const body = new URLSearchParams({ grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", assertion });
  const answer = await post(env.FCM_TOKEN_URL, { body }, true);
  const token = TokenAnswer.safeParse(parseJson(answer.text));
  if (answer.status !== 200 || !token.success) {
    log("push_token_refused", { provider: "fcm", status: answer.status });
    return answer.status === 200 ? { kind: "failed", status: 200 } : sentBy(answer);
  }
  const { access_token: value, expires_in } = token.data;
  return { value, until: Date.now() + expires_in * 1000 - MARGIN_MS };
}

async function assertionOf({ FCM_TOKEN_URL }: FcmEnv, account: ServiceAccount): Promise<string | null> {
  try {
    const key = await importPKCS8(account.private_key, "RS256");
    const { client_email, private_key_id: kid } = account;
    return await new SignJWT({ scope: SCOPE })
      .setProtectedHeader({ alg: "RS256", typ: "JWT", ...(kid !== undefined && { kid }) })
      .setIssuer(client_email)
      .setAudience(FCM_TOKEN_URL)
      .setIssuedAt()
      .setExpirationTime("1h")
      .sign(key);
  } catch (error) {
    log("push_key_unusable", { provider: "fcm", failure: failure(error) });
    return null;
  }
}
