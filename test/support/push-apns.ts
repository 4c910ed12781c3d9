import { once } from "node:events";
import {
  createSecureServer,
  type Http2SecureServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { exportPKCS8, generateKeyPair, jwtVerify } from "jose";
import { generate } from "selfsigned";
import * as z from "zod";
import { PushPayload } from "../../schema/push.ts";
import { Inbox, listen, Refused, type Scripted } from "./push-gateway.ts";

const KEY_ID = "KEY1234567";
const TEAM_ID = "TEAM123456";
export const APNS_TOPIC = "org.example.calls";

const Headers = z.object({
  ":method": z.literal("POST"),
  ":path": z.string().regex(/^\/3\/device\/[0-9a-f]+$/),
  authorization: z.string().regex(/^bearer /),
  "apns-push-type": z.enum(["voip", "alert"]),
  "apns-topic": z.string(),
  "apns-expiration": z.coerce.number().int(),
  "apns-priority": z.enum(["5", "10"]),
  "apns-collapse-id": z.string().max(64).optional(),
});

const Body = z.object({
  aps: z.object({ alert: z.object({ title: z.string(), body: z.string() }).optional(), sound: z.string().optional() }),
  switchboard: PushPayload,
});

export interface ApnsPush extends z.infer<typeof Body> {
  readonly token: string;
  readonly type: "voip" | "alert";
  /** Unix seconds. */
  readonly expiration: number;
  readonly priority: string;
  readonly collapseId: string | undefined;
  readonly authorization: string;
}

/** APNs as Apple documents it, on this machine: HTTP/2 over TLS, provider tokens, its refusals by reason. */
export class ApnsGateway extends Inbox<ApnsPush> {
  readonly url: URL;
  /** The certificate to trust. */
  readonly ca: string;
  /** The [vars] and secrets of a Worker whose key this gateway knows. */
  readonly vars: { APNS_KEY: string; APNS_KEY_ID: string; APNS_TEAM_ID: string; APNS_TOPIC: string };
  /** How often somebody connected. */
  connections = 0;
  readonly #server: Http2SecureServer;
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #publicKey: CryptoKey;

  private constructor(server: Http2SecureServer, url: URL, ca: string, keys: { pem: string; publicKey: CryptoKey }) {
    super();
    this.#server = server;
    this.#publicKey = keys.publicKey;
    this.url = url;
    this.ca = ca;
    this.vars = { APNS_KEY: keys.pem, APNS_KEY_ID: KEY_ID, APNS_TEAM_ID: TEAM_ID, APNS_TOPIC };
    server.on("session", (session) => {
      this.connections++;
      this.#sessions.add(session);
      session.on("close", () => this.#sessions.delete(session));
    });
    server.on("stream", (stream, headers) => void this.#respond(stream, headers));
  }

  static async start(): Promise<ApnsGateway> {
    const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
    const altNames = [{ type: 7 as const, ip: "127.0.0.1" }];
    const certificate = await generate([{ name: "commonName", value: "127.0.0.1" }], {
      keyType: "ec",
      extensions: [{ name: "subjectAltName", altNames }],
    });
    const server = createSecureServer({ key: certificate.private, cert: certificate.cert });
    const { origin } = await listen(server, "https");
    const pem = await exportPKCS8(privateKey);
    return new ApnsGateway(server, new URL(origin), certificate.cert, { pem, publicKey });
  }

  /** Sends everybody away, as Apple does from time to time; who comes back is served. */
  goAway(): void {
    for (const session of this.#sessions) session.goaway();
  }

  async startAgain(): Promise<void> {
    await once(this.#server.listen(Number(this.url.port), "127.0.0.1"), "listening");
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    for (const session of this.#sessions) session.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #respond(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    stream.on("error", () => {});
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    const { status, headers: more = {}, body } = await this.#answer(headers, Buffer.concat(chunks).toString());
    stream.respond({ ":status": status, ...more });
    stream.end(body && JSON.stringify(body));
  }

  async #answer(headers: IncomingHttpHeaders, body: string): Promise<Scripted> {
    try {
      return this.put(await this.#checked(headers, body)) ?? { status: 200 };
    } catch (error) {
      return this.refused(error);
    }
  }

  async #checked(given: IncomingHttpHeaders, body: string): Promise<ApnsPush> {
    const headers = Headers.parse(given);
    const { "apns-push-type": type, "apns-topic": topic, "apns-expiration": expiration, authorization } = headers;
    await this.#verify(authorization.slice("bearer ".length));
    if (topic !== (type === "voip" ? `${APNS_TOPIC}.voip` : APNS_TOPIC)) throw new Refused(400, "TopicDisallowed");
    if (expiration * 1000 < Date.now()) throw new Refused(400, "BadExpirationDate");
    const content = Body.parse(JSON.parse(body));
    if (type === "alert" && !content.aps.alert) throw new Refused(400, "PayloadEmpty");
    const token = headers[":path"].slice("/3/device/".length);
    const priority = headers["apns-priority"];
    return { ...content, token, type, expiration, priority, collapseId: headers["apns-collapse-id"], authorization };
  }

  async #verify(jwt: string): Promise<void> {
    const options = { algorithms: ["ES256"], issuer: TEAM_ID, maxTokenAge: "1h" };
    const verified = await jwtVerify(jwt, this.#publicKey, options).catch(() => null);
    if (verified?.protectedHeader.kid !== KEY_ID) throw new Refused(403, "InvalidProviderToken");
  }
}
