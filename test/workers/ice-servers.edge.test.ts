import { once } from "node:events";
import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { IceServersResponse, Settings } from "../../schema/http.ts";
import { allocate, type Coturn, startCoturn } from "../support/coturn.ts";
import { Edge, type Person, SECRETS } from "../support/edge.ts";
import { expectRefusal } from "../support/refused.ts";
import type { Transport } from "../support/turn-client.ts";
import { startTurnProvider, type TurnProvider } from "../support/turn-provider.ts";

/** The longest that an isolate believes what it has seen of a server, and the time that a probe takes. */
const NOTICED = { timeout: 20_000, interval: 250 };
const TRANSPORTS: Transport[] = ["udp", "tcp", "tls"];

async function ask(edge: Edge, person: Person, query = "") {
  const answer = await edge.as(person, `/api/ice-servers${query}`);
  expect(answer.status).toBe(200);
  const body = IceServersResponse.strict().parse(await answer.json());
  const [stun, turn] = body.iceServers;
  const { username = "", credential = "" } = turn ?? {};
  const urls = { stun: stun?.urls ?? [], turn: turn?.urls ?? [] };
  return { ...body, ...urls, username, credential, kept: answer.headers.get("cache-control") };
}

async function setRelayOnly(edge: Edge, person: Person, relayOnly: boolean): Promise<unknown> {
  const put = { method: "PUT", body: JSON.stringify({ relayOnly }) };
  return Settings.strict().parse(await (await edge.as(person, "/api/settings", put)).json());
}

describe("servers of one's own", () => {
  let near: Coturn;
  let far: Coturn;
  let edge: Edge;
  let ada: Person;
  beforeAll(async () => {
    [near, far] = await Promise.all([startCoturn([SECRETS.TURN_SECRET]), startCoturn([SECRETS.TURN_SECRET])]);
    edge = await Edge.start({ TURN_SERVERS: `near=${near.address}, far=${far.address}` });
    ada = await edge.person("Ada");
  });
  afterAll(() => Promise.all([edge.close(), far.close(), near.close()]));

  test("[HTTP-4] are named as STUN and TURN, over UDP, TCP and TLS, for five minutes", async () => {
    const asked = Math.floor(Date.now() / 1000);
    const { stun, turn, username, iceTransportPolicy, ttl, kept } = await ask(edge, ada);
    expect({ iceTransportPolicy, ttl, kept }).toEqual({
      iceTransportPolicy: "all",
      ttl: 300,
      kept: "private, max-age=270",
    });
    expect(stun).toEqual([`stun:127.0.0.1:${near.port}`, `stun:127.0.0.1:${far.port}`]);
    const urls = ({ port, tlsPort }: Coturn) => [
      `turn:127.0.0.1:${port}?transport=udp`,
      `turn:127.0.0.1:${port}?transport=tcp`,
      `turns:127.0.0.1:${tlsPort}?transport=tcp`,
    ];
    expect(turn).toEqual([...urls(near), ...urls(far)]);
    const [expiry, user] = username.split(":");
    expect(user).toBe(ada.userId);
    expect(Number(expiry)).toBeGreaterThanOrEqual(asked + ttl);
    expect(Number(expiry)).toBeLessThanOrEqual(Date.now() / 1000 + ttl + 60);
  });

  test.each(TRANSPORTS)("[TURN-1] give an allocation for the edge's credential over %s", async (transport) => {
    const credential = await ask(edge, ada);
    for (const server of [near, far]) expect(await allocate(server, transport, credential)).toEqual({ lifetime: 600 });
  });

  test("[ICES-3] relay everything for a user who wants it so, and for a request that does", async () => {
    const bob = await edge.person("Bob");
    expect((await ask(edge, bob, "?policy=relay")).iceTransportPolicy).toBe("relay");
    expect((await ask(edge, bob, "?policy=all")).iceTransportPolicy).toBe("all");
    expect(await setRelayOnly(edge, bob, true)).toEqual({ ringFrom: "everybody", relayOnly: true });
    expect((await ask(edge, bob)).iceTransportPolicy).toBe("relay");
    expect((await ask(edge, bob, "?policy=all")).iceTransportPolicy).toBe("relay");
    const put = { method: "PUT", body: JSON.stringify({ ringFrom: "contacts" }) };
    expect(await (await edge.as(bob, "/api/settings", put)).json()).toEqual({ ringFrom: "contacts", relayOnly: true });
    await setRelayOnly(edge, bob, false);
    expect((await ask(edge, bob)).iceTransportPolicy).toBe("all");
    await expectRefusal(await edge.as(bob, "/api/ice-servers?policy=direct"), 400, "bad_message");
  });

  test("[ICES-2] are left out when they have died", async () => {
    expect((await ask(edge, ada)).stun).toHaveLength(2);
    await near.kill();
    await expect.poll(async () => (await ask(edge, ada)).stun, NOTICED).toEqual([`stun:127.0.0.1:${far.port}`]);
  });
});

test("[ICES-2] a server that takes connections and says nothing is left out at once", async () => {
  const hung = createServer();
  await once(hung.listen(0, "127.0.0.1"), "listening");
  const address = hung.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const coturn = await startCoturn([SECRETS.TURN_SECRET]);
  const edge = await Edge.start({ TURN_SERVERS: `near=127.0.0.1:${port}, far=${coturn.address}` });
  try {
    const ada = await edge.person("Ada");
    expect((await ask(edge, ada)).stun).toEqual([`stun:127.0.0.1:${coturn.port}`]);
  } finally {
    await edge.close();
    await coturn.close();
    hung.close();
  }
});

test("[ICES-3] a deployment may relay everything", async () => {
  const edge = await Edge.start({ ICE_TRANSPORT_POLICY: "relay" });
  try {
    const ada = await edge.person("Ada");
    expect((await ask(edge, ada, "?policy=all")).iceTransportPolicy).toBe("relay");
  } finally {
    await edge.close();
  }
});

describe("[ICES-4] Cloudflare's TURN service", () => {
  const STUN = "stun:stun.cloudflare.com:3478";
  const TURN = ["turn:turn.cloudflare.com:3478?transport=udp", "turns:turn.cloudflare.com:443?transport=tcp"];
  const issued = (username: string) => ({
    iceServers: [
      { urls: [STUN, "stun:stun.cloudflare.com:53"] },
      { urls: [...TURN, "turn:turn.cloudflare.com:53?transport=udp"], username, credential: "of-cloudflare" },
    ],
  });

  let provider: TurnProvider;
  let edge: Edge;
  beforeAll(async () => {
    provider = await startTurnProvider();
    edge = await Edge.start({
      TURN_PROVIDER: "cloudflare",
      TURN_CLOUDFLARE_URL: provider.url,
      TURN_CLOUDFLARE_KEY_ID: "key/1",
      TURN_CLOUDFLARE_API_TOKEN: "token-of-the-tests",
    });
  });
  afterAll(() => Promise.all([edge.close(), provider.close()]));

  test("is asked with the key, for as long as the credential is to live; ports that browsers refuse are left out", async () => {
    const ada = await edge.person("Ada");
    provider.answers(201, issued("first"));
    const got = await ask(edge, ada);
    expect(got).toMatchObject({ stun: [STUN], turn: TURN, username: "first", credential: "of-cloudflare", ttl: 300 });
    expect(got.kept).toBe("private, max-age=270");
    expect(provider.asked.at(-1)).toEqual({
      method: "POST",
      path: "/v1/turn/keys/key%2F1/credentials/generate-ice-servers",
      authorization: "Bearer token-of-the-tests",
      body: '{"ttl":360}',
    });
  });

  test("is asked once for a user, and for each user", async () => {
    const [bob, eve] = [await edge.person("Bob"), await edge.person("Eve")];
    provider.answers(201, issued("bob's"));
    const before = provider.asked.length;
    expect((await ask(edge, bob)).username).toBe("bob's");
    provider.answers(201, issued("eve's"));
    const again = await ask(edge, bob);
    expect(again.username).toBe("bob's");
    expect(again.ttl).toBeLessThanOrEqual(300);
    expect((await ask(edge, eve)).username).toBe("eve's");
    expect(provider.asked.length - before).toBe(2);
  });

  test.each<[string, number, unknown]>([
    ["is down", 503, { error: "busy" }],
    ["refuses the key", 401, { error: "who are you" }],
    ["says something else", 200, { servers: [] }],
  ])("that %s leaves STUN for a while, and nothing to who is to be relayed", async (_title, status, body) => {
    const person = await edge.person("Somebody");
    provider.answers(status, body);
    const { iceServers, ttl, kept } = await ask(edge, person);
    expect(iceServers).toEqual([{ urls: [STUN] }]);
    expect([ttl, kept]).toEqual([60, "private, max-age=30"]);
    await expectRefusal(await edge.as(person, "/api/ice-servers?policy=relay"), 503, "internal");
    provider.answers(201, issued("in the end"));
    expect((await ask(edge, person)).username).toBe("in the end");
  });
});
