import type { IncomingMessage } from "node:http";
import { exportPKCS8, generateKeyPair, jwtVerify } from "jose";
import * as z from "zod";
import { PushPayload } from "../../schema/push.ts";
import { Inbox, type Listening, Refused, type Scripted, serve } from "./push-gateway.ts";

const PROJECT = "calls-of-the-tests";
const ACCOUNT = "push@calls-of-the-tests.iam.gserviceaccount.com";
const SCOPE = "https://www.googleapis.com/auth/firebase.messaging";

const Form = z.object({ grant_type: z.literal("urn:ietf:params:oauth:grant-type:jwt-bearer"), assertion: z.string() });

const Body = z.strictObject({
  message: z.strictObject({
    token: z.string(),
    data: z.strictObject({ switchboard: z.string() }),
    android: z.strictObject({
      priority: z.enum(["NORMAL", "HIGH"]),
      ttl: z.string().regex(/^\d+s$/),
      collapse_key: z.string(),
    }),
  }),
});

export interface FcmPush {
  readonly token: string;
  readonly payload: PushPayload;
  readonly priority: string;
  /** Seconds. */
  readonly ttl: number;
  readonly collapseKey: string;
}

/** As Google says it of a token that it does not know any more. */
export const UNREGISTERED: Scripted = {
  status: 404,
  body: { error: { code: 404, status: "NOT_FOUND", details: [{ errorCode: "UNREGISTERED" }] } },
};

/** Google's token endpoint and FCM's HTTP v1 API, on this machine. */
export class FcmGateway extends Inbox<FcmPush> {
  #listening: Listening | null = null;
  readonly #keys: CryptoKeyPair;
  readonly #pem: string;
  #tokens: string[] = [];
  /** What the token endpoint answers next in place of a token. */
  readonly tokenAnswers: Scripted[] = [];
  tokensGiven = 0;

  private constructor(keys: CryptoKeyPair, pem: string) {
    super();
    this.#keys = keys;
    this.#pem = pem;
  }

  static async start(): Promise<FcmGateway> {
    const keys = await generateKeyPair("RS256", { extractable: true });
    const gateway = new FcmGateway(keys, await exportPKCS8(keys.privateKey));
    gateway.#listening = await serve((request, body) => gateway.#respond(request, body));
    return gateway;
  }

  get vars() {
    const account = { project_id: PROJECT, client_email: ACCOUNT, private_key: this.#pem, private_key_id: "key-1" };
    const origin = this.#listening?.origin ?? "";
    return { FCM_SERVICE_ACCOUNT: JSON.stringify(account), FCM_TOKEN_URL: `${origin}/token`, FCM_API_URL: origin };
  }

  /** The tokens given out so far are good no longer. */
  revoke(): void {
    this.#tokens = [];
  }

  async close(): Promise<void> {
    await this.#listening?.close();
  }

  async #respond(request: IncomingMessage, body: Buffer): Promise<Scripted> {
    try {
      if (request.url === "/token") return this.tokenAnswers.shift() ?? (await this.#token(body.toString()));
      return (
        this.put(this.#checked(request, body.toString())) ?? { status: 200, body: { name: "projects/1/messages/1" } }
      );
    } catch (error) {
      return this.refused(error);
    }
  }

  async #token(body: string): Promise<Scripted> {
    const { assertion } = Form.parse(Object.fromEntries(new URLSearchParams(body)));
    const expected = { algorithms: ["RS256"], issuer: ACCOUNT, audience: this.vars.FCM_TOKEN_URL, maxTokenAge: "1h" };
    const { payload, protectedHeader } = await jwtVerify(assertion, this.#keys.publicKey, expected);
    if (payload.scope !== SCOPE || protectedHeader.kid !== "key-1") throw new Refused(400, "invalid_scope");
    const token = `token-${++this.tokensGiven}`;
    this.#tokens.push(token);
    return { status: 200, body: { access_token: token, expires_in: 3_599, token_type: "Bearer" } };
  }

  #checked({ method, url, headers }: IncomingMessage, body: string): FcmPush {
    if (method !== "POST" || url !== `/v1/projects/${PROJECT}/messages:send`) throw new Refused(404, "no such route");
    const bearer = headers.authorization?.replace("Bearer ", "") ?? "";
    if (!this.#tokens.includes(bearer)) throw new Refused(401, "UNAUTHENTICATED");
    const { token, data, android } = Body.parse(JSON.parse(body)).message;
    const payload = PushPayload.parse(JSON.parse(data.switchboard));
    const { priority, ttl, collapse_key: collapseKey } = android;
    return { token, payload, priority, ttl: Number.parseInt(ttl, 10), collapseKey };
  }
}
