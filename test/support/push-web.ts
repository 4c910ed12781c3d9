import { createECDH, randomBytes, randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { importJWK, jwtVerify } from "jose";
import * as z from "zod";
import { PushPayload } from "../../schema/push.ts";
import { decryptPush, type Receiver } from "./push-decrypt.ts";
import { Inbox, type Listening, Refused, type Scripted, serve } from "./push-gateway.ts";

export const VAPID_SUBJECT = "mailto:operator@example.org";

const Headers = z.object({
  authorization: z.string().regex(/^vapid t=[\w.-]+, k=[\w-]{87}$/),
  ttl: z.coerce.number().int().nonnegative(),
  urgency: z.enum(["very-low", "low", "normal", "high"]),
  topic: z
    .string()
    .regex(/^[\w-]+$/)
    .max(32),
  "content-encoding": z.literal("aes128gcm"),
});

export interface WebPush {
  readonly subscriptionId: string;
  readonly payload: PushPayload;
  /** Seconds. */
  readonly ttl: number;
  readonly urgency: string;
  readonly topic: string;
}

/** A push service and the browsers behind it, on this machine: it checks who sends, they decrypt. */
export class WebPushGateway extends Inbox<WebPush> {
  #listening: Listening | null = null;
  readonly #receivers = new Map<string, Receiver>();
  readonly #vapidKey = newKey();

  static async start(): Promise<WebPushGateway> {
    const gateway = new WebPushGateway();
    gateway.#listening = await serve((request, body) => gateway.#respond(request, body));
    return gateway;
  }

  get origin(): string {
    return this.#listening?.origin ?? "";
  }

  get vars() {
    const VAPID_PRIVATE_KEY = this.#vapidKey.privateKey.toString("base64url");
    return { VAPID_PRIVATE_KEY, VAPID_SUBJECT, PUSH_TO_LOOPBACK: "on" };
  }

  /** What a browser may subscribe with. */
  get applicationServerKey(): string {
    return this.#vapidKey.publicKey.toString("base64url");
  }

  /** A browser subscribes: the push token that its device registers. */
  subscribe(): { readonly id: string; readonly token: string } {
    const id = randomUUID();
    const receiver = { ...newKey(), auth: randomBytes(16) };
    this.#receivers.set(id, receiver);
    const keys = { p256dh: receiver.publicKey.toString("base64url"), auth: receiver.auth.toString("base64url") };
    return { id, token: JSON.stringify({ endpoint: `${this.origin}/push/${id}`, expirationTime: null, keys }) };
  }

  async close(): Promise<void> {
    await this.#listening?.close();
  }

  async #respond(request: IncomingMessage, body: Buffer): Promise<Scripted> {
    try {
      return this.put(await this.#checked(request, body)) ?? { status: 201 };
    } catch (error) {
      return this.refused(error);
    }
  }

  async #checked({ method, url = "", headers: given }: IncomingMessage, body: Buffer): Promise<WebPush> {
    const { authorization, ttl, urgency, topic } = Headers.parse(given);
    const subscriptionId = url.replace("/push/", "");
    const receiver = this.#receivers.get(subscriptionId);
    if (method !== "POST" || !receiver) throw new Refused(404, "no such subscription");
    await this.#verify(authorization);
    // RFC 8291, section 4: no push service has to take more.
    if (body.length > 4_096) throw new Refused(413, "too large");
    const payload = PushPayload.parse(JSON.parse(decryptPush(body, receiver)));
    return { subscriptionId, payload, ttl, urgency, topic };
  }

  /** RFC 8292, section 4.2: signed by the key that the browser has subscribed with, for this service, for a day at most. */
  async #verify(authorization: string): Promise<void> {
    const [, jwt = "", key = ""] = /^vapid t=(.*), k=(.*)$/.exec(authorization) ?? [];
    if (key !== this.applicationServerKey) throw new Refused(403, "another key than the subscription's");
    const point = Buffer.from(key, "base64url");
    const [x, y] = [point.subarray(1, 33).toString("base64url"), point.subarray(33).toString("base64url")];
    const publicKey = await importJWK({ kty: "EC", crv: "P-256", x, y }, "ES256");
    const { payload } = await jwtVerify(jwt, publicKey, { algorithms: ["ES256"], audience: this.origin });
    const lifetime = (payload.exp ?? Number.POSITIVE_INFINITY) - Date.now() / 1000;
    if (payload.sub !== VAPID_SUBJECT || lifetime > 24 * 3_600) throw new Refused(403, "bad claims");
  }
}

function newKey(): { privateKey: Buffer; publicKey: Buffer } {
  const curve = createECDH("prime256v1");
  const publicKey = curve.generateKeys();
  // Leading zeros are part of a key on the wire.
  return { privateKey: Buffer.from(curve.getPrivateKey("hex").padStart(64, "0"), "hex"), publicKey };
}
