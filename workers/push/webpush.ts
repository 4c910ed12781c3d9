import { encryptNotification } from "@block65/webcrypto-web-push";
import { parseJson } from "../../schema/json.ts";
import { WebPushSubscription } from "../../schema/push-token.ts";
import { isAllowedEndpoint } from "./endpoint.ts";
import { post } from "./post.ts";
import { type Outgoing, type Sent, sentBy, ttlSeconds } from "./provider.ts";
import { type VapidEnv, vapidAuthorization, vapidKeys } from "./vapid.ts";

/** Web Push (RFC 8030), with message encryption (RFC 8291) and VAPID (RFC 8292). */

export interface WebPushEnv extends VapidEnv {
  /** "on": endpoints may be http on this machine. */
  readonly PUSH_TO_LOOPBACK: string;
}

export async function sendWebPush(env: WebPushEnv, push: Outgoing): Promise<Sent> {
  const keys = vapidKeys(env);
  if (!keys) return { kind: "unconfigured" };
  const subscription = WebPushSubscription.safeParse(parseJson(push.token)).data;
  const body = subscription && (await encrypted(subscription, push));
  const endpoint = subscription && URL.parse(subscription.endpoint);
  if (!body || !endpoint || !isAllowedEndpoint(endpoint, env.PUSH_TO_LOOPBACK === "on")) {
    return { kind: "dead", status: null };
  }
  const headers = {
    ...headersOf(push, Date.now()),
    authorization: await vapidAuthorization(keys, env.VAPID_SUBJECT, endpoint),
  };
  const answer = await post(endpoint, { headers, body }, false);
  const { status } = answer;
  return status === 404 || status === 410 ? { kind: "dead", status } : sentBy(answer);
}

/** What comes later takes the place of what the push service still holds: a topic has at most 32 characters. */
function headersOf(push: Outgoing, now: number) {
  return {
    "content-encoding": "aes128gcm",
    "content-type": "application/octet-stream",
    ttl: String(ttlSeconds(push, now)),
    urgency: push.payload.type === "incoming_call" ? "high" : "normal",
    topic: push.callId.replaceAll("-", ""),
  };
}

/** @returns undefined where the subscription's keys are none */
async function encrypted(
  { endpoint, keys }: WebPushSubscription,
  { payload }: Outgoing,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const plaintext = new TextEncoder().encode(JSON.stringify(payload));
  try {
    return await encryptNotification({ endpoint, keys, expirationTime: null }, plaintext);
  } catch {
    return undefined;
  }
}
