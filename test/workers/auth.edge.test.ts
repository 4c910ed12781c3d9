import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { exportJWK, exportSPKI, importJWK } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import WebSocket from "ws";
import { ContactsResponse, HistoryResponse } from "../../schema/http.ts";
import { parseServerFrame } from "../../schema/server-messages.ts";
import { Device } from "../support/device.ts";
import { Edge, type Person, SECRETS } from "../support/edge.ts";
import { type IssuerKey, issuerKey, type KeyServer, serveKeys } from "../support/key-server.ts";
import { expectRefusal } from "../support/refused.ts";
import { connect, initiate } from "../support/scene.ts";
import { secretOf, type TokenOptions, token, unsignedToken } from "../support/tokens.ts";

const NOW = Math.floor(Date.now() / 1000);

/** Somebody with a token that the app's issuer has signed. */
async function person(name: string, options: TokenOptions = {}): Promise<Person> {
  const userId = randomUUID();
  return { userId, name, token: await token({ ...options, claims: { sub: userId, name, ...options.claims } }) };
}

async function status(edge: Edge, bearer: string): Promise<number> {
  return (await edge.fetch("/api/calls", { headers: { authorization: `Bearer ${bearer}` } })).status;
}

describe("a deployment with a secret of its own, development off", () => {
  let edge: Edge;
  beforeAll(async () => {
    edge = await Edge.start({ DEVELOPMENT: "off" });
  });
  afterAll(() => edge.close());

  test("signs no token for anybody", async () => {
    const body = JSON.stringify({ name: "Eve" });
    await expectRefusal(await edge.fetch("/api/dev/token", { method: "POST", body }), 404, "not_found");
  });

  const bad: readonly [title: string, make: () => Promise<string> | string][] = [
    ["garbage", () => "garbage"],
    ["three words", () => "a.b.c"],
    ["no signature", async () => (await token()).replace(/[^.]+$/, "")],
    ["one that nobody signed", () => unsignedToken(randomUUID())],
    ["the signature of another secret", () => token({ key: secretOf("another-secret-of-32-bytes-or-so") })],
    [
      "another algorithm with the same secret",
      () => token({ header: { alg: "HS512" }, key: secretOf(SECRETS.JWT_SECRET.repeat(2)) }),
    ],
    ["changed claims", async () => withClaims(await token(), { sub: randomUUID(), exp: NOW + 3600 })],
    ["an end in the past", () => token({ expires: NOW - 1 })],
    ["no end", () => token({ expires: null })],
    ["a beginning in the future", () => token({ claims: { nbf: NOW + 600 } })],
    ["nobody it speaks of", () => token({ claims: { sub: undefined } })],
    ["somebody who is no UUID", () => token({ claims: { sub: "ada" } })],
    ["a number for somebody", () => token({ claims: { sub: 7 } })],
    ["the server key in its place", () => SECRETS.SERVER_KEY],
  ];

  test.each(bad)("[HTTP-1] [CONN-1] a token with %s opens neither a route nor a socket", async (_title, make) => {
    const bearer = await make();
    const headers = { authorization: `Bearer ${bearer}` };
    await expectRefusal(await edge.fetch("/api/calls", { headers }), 401, "unauthorized");
    expect(await Device.refusal(`${edge.ws}/ws`, bearer)).toBe(401);
    expect(await Device.refusal(`${edge.ws}/calls/${randomUUID()}/ws`, bearer)).toBe(401);
  });

  test.each([["Basic"], ["Token"], [""]])("a good token after %j instead of Bearer is none", async (scheme) => {
    const headers = { authorization: `${scheme} ${await token()}`.trim() };
    await expectRefusal(await edge.fetch("/api/calls", { headers }), 401, "unauthorized");
  });

  test("a token makes its user known by name, and only people of one's calls are contacts", async () => {
    const [ada, bob, eve] = [await person("Ada"), await person("Bob"), await person("Eve")];
    const [caller, phone, tablet, laptop] = [
      await edge.device(ada),
      await edge.device(bob),
      await edge.device(bob),
      await edge.device(bob),
    ];
    await edge.device(eve);
    const callId = await connect({ ada, bob, caller, phone, tablet, laptop });
    await caller.ask({ type: "call_end", callId });
    const names = async (asker: Person) => {
      const { contacts } = ContactsResponse.parse(await (await edge.as(asker, "/api/contacts")).json());
      return contacts.map(({ name }) => name);
    };
    await expect.poll(() => names(ada)).toEqual(["Bob"]);
    expect(await names(bob)).toEqual(["Ada"]);
    expect(await names(eve)).toEqual([]);
  });

  test("a name in any script is what the callee's device shows", async () => {
    const [ada, bob] = [await person("アダ 🦉 \u202aé"), await person("Bob")];
    const [caller, phone] = [await edge.device(ada), await edge.device(bob)];
    caller.send({ type: "call_initiate", idempotencyKey: "k", calleeIds: [bob.userId], callType: "audio" });
    expect((await phone.next("incoming_call")).caller.name).toBe(ada.name);
  });

  test("a name or a picture that nobody could keep is left out of a token, and the token stands", async () => {
    const somebody = await person("", { claims: { name: "\0", picture: "https://example.com/\0" } });
    expect(await status(edge, somebody.token)).toBe(200);
    await (await edge.device(somebody)).close();
  });

  describe("[CONN-1] the upgrade", () => {
    async function upgrade(protocols: string[], headers: Record<string, string> = {}): Promise<WebSocket> {
      const socket = new WebSocket(`${edge.ws}/ws`, protocols, { headers });
      await once(socket, "open");
      return socket;
    }

    test("with subprotocols selects the first, never the token", async () => {
      const socket = await upgrade(["switchboard.v1", `bearer.${await token()}`]);
      expect(socket.protocol).toBe("switchboard.v1");
      socket.terminate();
    });

    test("with the header selects what was offered, and nothing if nothing was", async () => {
      const headers = { authorization: `Bearer ${await token()}` };
      const [plain, offered] = [await upgrade([], headers), await upgrade(["switchboard.v1"], headers)];
      expect([plain.protocol, offered.protocol]).toEqual(["", "switchboard.v1"]);
      plain.terminate();
      offered.terminate();
    });

    test("believes the header where both are there", async () => {
      const [header, protocol] = [await person("Ada"), await person("Bob")];
      const authorization = `Bearer ${header.token}`;
      const socket = await upgrade(["switchboard.v1", `bearer.${protocol.token}`], { authorization });
      socket.send(JSON.stringify({ type: "register", deviceId: randomUUID(), deviceType: "Web" }));
      const [frame] = await once(socket, "message");
      expect(parseServerFrame(String(frame))).toMatchObject({ type: "registered", userId: header.userId });
      socket.terminate();
    });
  });
});

/** The same header and signature, with other claims in between. */
function withClaims(jwt: string, claims: object): string {
  const [header, , signature] = jwt.split(".");
  return [header, Buffer.from(JSON.stringify(claims)).toString("base64url"), signature].join(".");
}

describe("a deployment that knows its issuer's keys", () => {
  const ISSUED = { iss: "https://issuer.example", aud: "switchboard" };
  let edge: Edge;
  let server: KeyServer;
  let es: IssuerKey;
  let rs: IssuerKey;
  beforeAll(async () => {
    es = await issuerKey("ES256", "es");
    rs = await issuerKey("RS256", "rs");
    server = await serveKeys([es.publicJwk, rs.publicJwk]);
    edge = await Edge.start({
      DEVELOPMENT: "off",
      JWT_JWKS_URL: server.url,
      JWT_ISSUER: ISSUED.iss,
      JWT_AUDIENCE: ISSUED.aud,
    });
  });
  afterAll(async () => {
    await edge.close();
    await server.close();
  });

  const by = (key: IssuerKey, alg: string, more: TokenOptions = {}): TokenOptions => ({
    header: { alg, kid: key.kid },
    key: key.privateKey,
    ...more,
    claims: { ...ISSUED, ...more.claims },
  });

  test("takes what the issuer signed, on routes and sockets, and fetches the keys once", async () => {
    expect(await status(edge, await token(by(es, "ES256")))).toBe(200);
    expect(await status(edge, await token(by(rs, "RS256")))).toBe(200);
    expect(await status(edge, await token(by(es, "ES256", { claims: { aud: ["other", ISSUED.aud] } })))).toBe(200);
    const ada = await person("Ada", by(es, "ES256"));
    await (await edge.device(ada)).close();
    expect(server.asked).toBe(1);
  });

  test.each([
    ["a key that the issuer does not name", async () => by(await issuerKey("ES256", "unknown"), "ES256")],
    ["another key under a name of the issuer's", async () => by(await issuerKey("ES256", "es"), "ES256")],
    ["the secret of other deployments", () => ({ claims: ISSUED })],
    ["the secret, under a name of the issuer's", () => ({ header: { alg: "HS256", kid: "es" }, claims: ISSUED })],
    ["the public key, taken for a secret", () => publicAsSecret()],
    ["the public key as it is written, taken for a secret", () => publicJwkAsSecret()],
    ["a key of the issuer's for another algorithm", () => by(rs, "PS256")],
    ["the issuer's key, for another audience", () => by(es, "ES256", { claims: { aud: "another-app" } })],
    ["the issuer's key, for no audience", () => by(es, "ES256", { claims: { aud: undefined } })],
    ["the issuer's key, in the name of another", () => by(es, "ES256", { claims: { iss: "https://evil.example" } })],
    ["the issuer's key, and over", () => by(es, "ES256", { expires: NOW - 1 })],
  ] as const)("[HTTP-1] refuses a token signed with %s", async (_title, options) => {
    const bearer = await token(await signable(await options()));
    const headers = { authorization: `Bearer ${bearer}` };
    await expectRefusal(await edge.fetch("/api/calls", { headers }), 401, "unauthorized");
    expect(await Device.refusal(`${edge.ws}/ws`, bearer)).toBe(401);
  });

  /** A private RSA key signs by one algorithm; for the other it has to be imported again. */
  async function signable(options: TokenOptions): Promise<TokenOptions> {
    if (options.header?.alg !== "PS256") return options;
    const key = await importJWK({ ...(await exportJWK(rs.privateKey)), alg: "PS256" }, "PS256");
    return { ...options, key };
  }

  async function publicAsSecret(): Promise<TokenOptions> {
    const key = await importJWK(es.publicJwk, "ES256", { extractable: true });
    if (key instanceof Uint8Array) throw new Error("a public key is no secret");
    return { header: { alg: "HS256", kid: "es" }, key: secretOf(await exportSPKI(key)), claims: ISSUED };
  }

  function publicJwkAsSecret(): TokenOptions {
    return { header: { alg: "HS256", kid: "es" }, key: secretOf(JSON.stringify(es.publicJwk)), claims: ISSUED };
  }
});

describe("a deployment whose issuer is out of reach", () => {
  let edge: Edge;
  beforeAll(async () => {
    const gone = await serveKeys([]);
    await gone.close();
    edge = await Edge.start({ DEVELOPMENT: "off", JWT_JWKS_URL: gone.url });
  });
  afterAll(() => edge.close());

  test("says that it cannot tell, for a client told that its token is bad would sign its user out", async () => {
    const key = await issuerKey("ES256", "es");
    const bearer = await token({ header: { alg: "ES256", kid: "es" }, key: key.privateKey });
    const headers = { authorization: `Bearer ${bearer}` };
    await expectRefusal(await edge.fetch("/api/calls", { headers }), 503, "internal");
    await expectRefusal(
      await edge.fetch("/api/calls", { headers: { authorization: "Bearer x" } }),
      401,
      "unauthorized",
    );
  });
});

describe("a user whose token has no name", () => {
  test("[LEDGER-1] is called something, so that calls have a history", async () => {
    const edge = await Edge.start();
    const userId = randomUUID();
    const nameless = await token({ claims: { sub: userId, name: undefined } });
    const ada = await edge.device({ userId, name: "", token: nameless });
    const bob = await edge.person("Bob");
    const phone = await edge.device(bob);
    const { callId } = await initiate(ada, bob.userId);
    expect(await phone.next("incoming_call")).toMatchObject({ caller: { name: `User ${userId.slice(-8)}` } });
    await ada.ask({ type: "call_end", callId });
    const history = async () => HistoryResponse.parse(await (await edge.as(bob, "/api/calls")).json()).calls;
    await expect.poll(history).toMatchObject([{ id: callId, outcome: "cancelled" }]);
    await edge.close();
  });
});
