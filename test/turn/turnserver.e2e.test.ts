import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { allocate, type Coturn, credentialFor, startCoturn } from "../support/coturn.ts";
import { type Transport, TurnClient } from "../support/turn-client.ts";

// turn/turnserver.conf in a real coturn: what it lets through, and what it does not.

const SECRET = "turn-secret-of-the-tests";
const TRANSPORTS: Transport[] = ["udp", "tcp", "tls"];
/** Per user; the config's own is more than a test needs. */
const QUOTA = 3;

let coturn: Coturn;
beforeAll(async () => {
  coturn = await startCoturn([SECRET], [`user-quota=${QUOTA}`]);
});
afterAll(() => coturn.close());

const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;
const fresh = (secret = SECRET) => credentialFor(randomUUID(), secret, inSeconds(300));

describe("[TURN-1] an allocation", () => {
  test.each(TRANSPORTS)("over %s is for whoever has a credential", async (transport) => {
    expect(await allocate(coturn, transport, fresh())).toEqual({ lifetime: 600 });
  });

  test.each(TRANSPORTS)("over %s is for nobody with an expired one", async (transport) => {
    const expired = credentialFor(randomUUID(), SECRET, inSeconds(-60));
    expect(await allocate(coturn, transport, expired)).toEqual({ error: 401 });
  });

  test("is for nobody with a forged one", async () => {
    const { username, credential } = fresh();
    const [expiry, userId] = username.split(":");
    const longer = `${Number(expiry) + 3600}:${userId}`;
    expect(await allocate(coturn, "udp", { username: longer, credential })).toEqual({ error: 401 });
    expect(await allocate(coturn, "udp", { username: `${expiry}:${randomUUID()}`, credential })).toEqual({
      error: 401,
    });
    expect(await allocate(coturn, "udp", fresh("a guessed secret"))).toEqual({ error: 401 });
  });

  test("is for nobody of another realm", async () => {
    expect(await allocate(coturn, "udp", fresh(), { realm: "elsewhere" })).toEqual({ error: 437 });
  });
});

describe("[TURN-2] a relay reaches", () => {
  test.each([
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.254",
    "192.168.1.1",
    "224.0.0.1",
    "255.255.255.255",
    "0.0.0.0",
  ])("not %s, which is not everybody's", async (peer) => {
    expect(await permission(peer)).toBe(403);
  });

  test.each(["8.8.8.8", "100.63.255.255", "172.32.0.1", "203.0.113.7"])("%s", async (peer) => {
    expect(await permission(peer)).toBeNull();
  });
});

test("[TURN-3] a user has so many allocations at a time, whatever credentials they are made with", async () => {
  const userId = randomUUID();
  const clients: TurnClient[] = [];
  const another = async () => {
    const client = await TurnClient.open(coturn, "tcp");
    clients.push(client);
    return client.allocate(credentialFor(userId, SECRET, inSeconds(300 + clients.length)));
  };
  for (let i = 0; i < QUOTA; i++) expect(await another()).toEqual({ lifetime: 600 });
  expect(await another()).toEqual({ error: 486 });
  expect(await allocate(coturn, "udp", fresh())).toEqual({ lifetime: 600 });
  for (const client of clients) client.close();
});

test("[TURN-4] a secret changes while the server runs: nobody is refused at any moment", async () => {
  const server = await startCoturn(["of its config"]);
  try {
    await server.addSecret("the old one");
    const old = fresh("the old one");
    expect(await allocate(server, "udp", old)).toEqual({ lifetime: 600 });
    await server.addSecret("the new one");
    expect(await allocate(server, "udp", old)).toEqual({ lifetime: 600 });
    expect(await allocate(server, "udp", fresh("the new one"))).toEqual({ lifetime: 600 });
    await server.removeSecret("the old one");
    expect(await allocate(server, "udp", old)).toEqual({ error: 401 });
    for (const secret of ["of its config", "the new one"]) {
      expect(await allocate(server, "udp", fresh(secret))).toEqual({ lifetime: 600 });
    }
  } finally {
    await server.close();
  }
});

test("[TURN-4] a server takes several secrets of its config too", async () => {
  const server = await startCoturn(["one", "two"]);
  try {
    for (const secret of ["one", "two"]) {
      expect(await allocate(server, "udp", fresh(secret))).toEqual({ lifetime: 600 });
    }
  } finally {
    await server.close();
  }
});

test("[TURN-5] a new certificate is used from the signal on, and allocations go on", async () => {
  const client = await TurnClient.open(coturn, "tls");
  await client.allocate(fresh());
  const before = await certificate();
  await coturn.renewCertificate();
  await expect.poll(certificate).not.toBe(before);
  expect(await client.permit("8.8.8.8")).toBeNull();
  client.close();
});

async function certificate(): Promise<string> {
  const socket = connect({ port: coturn.tlsPort, host: "127.0.0.1", rejectUnauthorized: false });
  await once(socket, "secureConnect");
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}

async function permission(peer: string): Promise<number | null> {
  const client = await TurnClient.open(coturn, "udp");
  try {
    await client.allocate(fresh());
    return await client.permit(peer);
  } finally {
    client.close();
  }
}
