import { importPKCS8, SignJWT } from "jose";
import { type PushAnswer, PushOrder } from "../../schema/fleet.ts";
import type { PushPayload } from "../../schema/push.ts";
import { parseRegions } from "../fleet/regions.ts";
import { failure, log } from "../log.ts";
import { Credential, type Made } from "./credential.ts";
import { type Outgoing, type Sent, sentBy } from "./provider.ts";

/** Apple Push Notification service, with a provider token. It speaks only HTTP/2, so a node of the fleet takes it there. */

export interface ApnsEnv {
  /** The .p8 key. */
  readonly APNS_KEY?: string;
  readonly APNS_KEY_ID: string;
  readonly APNS_TEAM_ID: string;
  /** The app's bundle id. */
  readonly APNS_TOPIC: string;
  /** Comma-separated; whose nodes may relay. */
  readonly SFU_REGIONS: string;
  readonly FLEET: { getByName(region: string): { push(order: PushOrder): Promise<PushAnswer | null> } };
}

/** Apple refuses a token of more than an hour, and those who make one more often than each 20 min. */
const TOKEN_MS = 50 * 60_000;

const providerToken = new Credential();

export async function sendApns(env: ApnsEnv, push: Outgoing, type: "voip" | "alert"): Promise<Sent> {
  const { APNS_KEY, APNS_KEY_ID, APNS_TEAM_ID, APNS_TOPIC } = env;
  if (!APNS_KEY || !APNS_KEY_ID || !APNS_TEAM_ID || !APNS_TOPIC) return { kind: "unconfigured" };
  const of = [APNS_KEY, APNS_KEY_ID, APNS_TEAM_ID].join();
  const jwt = await providerToken.get(of, () => signToken(APNS_KEY, APNS_KEY_ID, APNS_TEAM_ID));
  if (typeof jwt !== "string") return jwt;
  const order = PushOrder.safeParse(orderOf(push, type, APNS_TOPIC, jwt));
  if (!order.success) return { kind: "dead", status: null };
  const answer = await relayed(env, order.data);
  return answer ? sentByApns(answer) : { kind: "no_relay" };
}

function orderOf({ callId, token, payload, until }: Outgoing, type: "voip" | "alert", topic: string, jwt: string) {
  const headers = {
    authorization: `bearer ${jwt}`,
    "apns-push-type": type,
    "apns-topic": type === "voip" ? `${topic}.voip` : topic,
    "apns-expiration": String(Math.floor(until / 1000)),
    "apns-priority": "10",
    ...(type === "alert" && { "apns-collapse-id": callId }),
  };
  const aps = type === "voip" ? {} : alertOf(payload);
  return { token, headers, body: JSON.stringify({ aps, switchboard: payload }) };
}

/** What a system shows that does not ask the app; `mutable-content` lets its service extension look first. */
function alertOf({ type, callType, caller }: PushPayload) {
  const alert = (body: string) => ({ alert: { title: caller.name, body }, "mutable-content": 1 });
  switch (type) {
    case "incoming_call":
      return { ...alert(`Incoming ${callType} call`), sound: "default", "interruption-level": "time-sensitive" };
    case "missed_call":
      return alert(`Missed ${callType} call`);
    case "answered_elsewhere":
      return { ...alert("Answered on another device"), "interruption-level": "passive" };
    case "call_over":
      return { ...alert("The call is over"), "interruption-level": "passive" };
  }
}

/** @returns null where no node relays */
async function relayed({ SFU_REGIONS, FLEET }: ApnsEnv, order: PushOrder): Promise<PushAnswer | null> {
  for (const { name: region } of parseRegions(SFU_REGIONS)) {
    const answer = await FLEET.getByName(region).push(order);
    if (answer) return answer;
  }
  log("push_no_relay");
  return null;
}

function sentByApns(answer: PushAnswer): Sent {
  const { status, reason } = answer;
  // Only this is said of the token alone: one of the sandbox, or of another app, may be a mistake in our settings.
  if (status === 410) return { kind: "dead", status };
  if (reason !== "ExpiredProviderToken") return sentBy(answer);
  providerToken.drop();
  return { kind: "busy", status, retryAfter: null };
}

async function signToken(pem: string, kid: string, teamId: string): Promise<Made | Sent> {
  try {
    const jwt = new SignJWT().setProtectedHeader({ alg: "ES256", kid }).setIssuer(teamId).setIssuedAt();
    return { value: await jwt.sign(await importPKCS8(pem, "ES256")), until: Date.now() + TOKEN_MS };
  } catch (error) {
    log("push_key_unusable", { provider: "apns", failure: failure(error) });
    return { kind: "unconfigured" };
  }
}
