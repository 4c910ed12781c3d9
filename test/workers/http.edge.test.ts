import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  ContactsResponse,
  DevicesResponse,
  DevTokenResponse,
  HistoryResponse,
  PresenceResponse,
  RegionsResponse,
  UserResponse,
} from "../../schema/http.ts";
import { MAX_HTTP_BODY } from "../../schema/limits.ts";
import { Edge, type Person, SECRETS } from "../support/edge.ts";
import { expectRefusal } from "../support/refused.ts";
import { connect, initiate, scene } from "../support/scene.ts";

/** The last two are none: no region's name, and no web address. */
const PINGS = "eu-west=https://eu.example/ping?a=b, us-east=https://us.example/ping, EU!=https://x.example, asia=ping";
const UNKNOWN = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
const SERVER = { authorization: `Bearer ${SECRETS.SERVER_KEY}` };
/** The ledger's batch waits for a second. */
let edge: Edge;
let ada: Person;
beforeAll(async () => {
  edge = await Edge.start({ SFU_PINGS: PINGS });
  ada = await edge.person("Ada");
});
afterAll(() => edge.close());

async function calls(person: Person, query = ""): Promise<HistoryResponse> {
  return HistoryResponse.strict().parse(await (await edge.as(person, `/api/calls${query}`)).json());
}

const json = (method: string, body: unknown, headers = {}): RequestInit => ({
  method,
  body: JSON.stringify(body),
  headers,
});

describe("[HTTP-1] who may ask", () => {
  test.each([
    ["GET", "/api/contacts"],
    ["GET", "/api/ice-servers"],
    ["GET", "/api/calls"],
    ["GET", "/api/devices"],
    ["DELETE", `/api/devices/${UNKNOWN}`],
    ["GET", `/api/users/${UNKNOWN}/presence`],
    ["GET", "/ws"],
    ["GET", `/calls/${UNKNOWN}/ws`],
    ["GET", "/api/nothing-of-the-kind"],
    ["PUT", `/api/users/${UNKNOWN}`],
    ["GET", "/api/admin/nodes"],
    ["POST", `/api/admin/nodes/${UNKNOWN}/drain`],
    ["GET", "/sfu/nodes?region=local"],
  ])("%s %s needs more than nothing", async (method, path) => {
    await expectRefusal(await edge.fetch(path, { method }), 401, "unauthorized");
  });

  test("a user's token is no server key and no node key, and no key is a token", async () => {
    const asAda = { authorization: `Bearer ${ada.token}` };
    const put = json("PUT", { name: "Eve" }, asAda);
    await expectRefusal(await edge.fetch(`/api/users/${ada.userId}`, put), 401, "unauthorized");
    await expectRefusal(await edge.fetch("/sfu/nodes?region=local", { headers: asAda }), 401, "unauthorized");
    await expectRefusal(await edge.fetch("/api/calls", { headers: SERVER }), 401, "unauthorized");
    await expectRefusal(await edge.fetch("/sfu/nodes?region=local", { headers: SERVER }), 401, "unauthorized");
  });
});

test.each([
  ["DELETE", "/api/calls/nonsense"],
  ["GET", "/api/calls/nonsense"],
  ["GET", "/api/calls/nonsense/events"],
  ["POST", "/api/calls/nonsense/decline"],
  ["GET", "/calls/nonsense/ws"],
  ["DELETE", "/api/devices/nonsense"],
  ["PUT", "/api/blocks/nonsense"],
  ["POST", "/api/contacts/nonsense"],
  ["GET", "/api/users/nonsense/presence"],
])("[HTTP-2] %s %s says what is wrong with it", async (method, path) => {
  const answer = await edge.as(ada, path, { method });
  expect(answer.status).toBe(400);
  expect(await answer.json()).toEqual({ error: { code: "bad_message", message: "id: Invalid UUID" } });
});

describe("[HTTP-2] what there is not", () => {
  test.each([
    ["GET", "/api/nothing-of-the-kind"],
    ["POST", "/api/contacts"],
    ["DELETE", "/api/calls"],
    ["PATCH", "/api/devices"],
    ["GET", `/api/devices/${UNKNOWN}`],
    ["DELETE", `/api/users/${UNKNOWN}`],
    ["POST", "/ws"],
    ["DELETE", `/api/devices/${UNKNOWN}`],
  ])("%s %s is not found", async (method, path) => {
    await expectRefusal(await edge.as(ada, path, { method }), 404, "not_found");
  });

  test.each([
    ["GET", "/api/users/ada/presence"],
    ["DELETE", "/api/devices/phone"],
    ["GET", "/calls/mine/ws"],
    ["GET", "/api/calls?limit=0"],
    ["GET", "/api/calls?limit=101"],
    ["GET", "/api/calls?cursor=none-of-yours"],
    ["GET", `/api/calls?cursor=${btoa(`0000-01-01T00:00:00Z ${UNKNOWN}`)}`],
    ["GET", `/api/calls?cursor=${btoa(`2026-11-23T00:00:00Z ${UNKNOWN}'--`)}`],
  ])("%s %s is a bad request", async (method, path) => {
    await expectRefusal(await edge.as(ada, path, { method }), 400, "bad_message");
  });

  test.each(["/ws", `/calls/${UNKNOWN}/ws`])("GET %s needs an upgrade", async (path) => {
    await expectRefusal(await edge.as(ada, path), 426, "bad_message");
  });

  test("a body over 64 Ki is too large, whether or not it says so beforehand", async () => {
    const body = JSON.stringify({ name: "Ada", padding: " ".repeat(MAX_HTTP_BODY) });
    await expectRefusal(await edge.fetch("/api/dev/token", { method: "POST", body }), 413, "too_large");
    const streamed = { method: "POST", body: new Blob([body]).stream(), duplex: "half" as const };
    await expectRefusal(await edge.fetch("/api/dev/token", streamed), 413, "too_large");
  });
});

describe("[USER-2] POST /api/dev/token", () => {
  test("makes a user, who is known from then on", async () => {
    const answer = await edge.fetch("/api/dev/token", json("POST", { name: "  Grace " }));
    expect(answer.status).toBe(200);
    const grace = DevTokenResponse.strict().parse(await answer.json());
    const presence = await edge.as({ ...grace, name: "" }, `/api/users/${grace.userId}/presence`);
    expect(presence.status).toBe(200);
    const caller = await edge.device(ada);
    expect((await initiate(caller, grace.userId)).state).toBe("reaching");
  });

  test("signs for a user that is named, in any case of the id", async () => {
    const userId = randomUUID();
    const answer = await edge.fetch("/api/dev/token", json("POST", { userId: userId.toUpperCase(), name: "Grace" }));
    expect(await answer.json()).toMatchObject({ userId });
  });

  test.each([[{}], [{ name: "" }], [{ name: "Ada", userId: "ada" }], [[]], [null], ["Ada"]])(
    "refuses %j",
    async (body) => {
      await expectRefusal(await edge.fetch("/api/dev/token", json("POST", body)), 400, "bad_message");
    },
  );
});

describe("[USER-1] PUT /api/users/:id", () => {
  test("tells of a user, and tells again; others see it", async () => {
    const userId = randomUUID();
    const path = `/api/users/${userId.toUpperCase()}`;
    const first = await edge.fetch(path, json("PUT", { name: "Linus" }, SERVER));
    expect(first.status).toBe(200);
    expect(UserResponse.strict().parse(await first.json())).toEqual({ userId, name: "Linus", avatarUrl: null });
    const avatarUrl = "https://example.com/linus.png";
    await edge.fetch(path, json("PUT", { name: "Linus T.", avatarUrl }, SERVER));
    const seen = async () => {
      const { contacts } = ContactsResponse.strict().parse(await (await edge.as(ada, "/api/contacts")).json());
      return contacts.find((contact) => contact.userId === userId);
    };
    const flags = { added: false, blocked: false, mayRing: true };
    const contact = { userId, name: "Linus T.", avatarUrl, status: "offline", lastSeen: null, ...flags };
    await expect.poll(seen).toEqual(contact);
  });

  test("makes somebody who was never here someone who can be called", async () => {
    const userId = randomUUID();
    const caller = await edge.device(ada);
    const ask = { type: "call_initiate" as const, calleeIds: [userId], callType: "audio" as const };
    expect(await caller.ask({ ...ask, idempotencyKey: randomUUID() })).toMatchObject({ code: "callee_unknown" });
    await edge.fetch(`/api/users/${userId}`, json("PUT", { name: "Linus" }, SERVER));
    expect(await caller.ask({ ...ask, idempotencyKey: randomUUID() })).toMatchObject({ type: "call_initiated" });
  });

  test.each([
    ["an id that is none", "linus", { name: "Linus" }],
    ["no name", UNKNOWN, {}],
    ["a long name", UNKNOWN, { name: "L".repeat(101) }],
    ["a picture that is no URL", UNKNOWN, { name: "Linus", avatarUrl: "me.png" }],
  ])("refuses %s", async (_title, id, body) => {
    await expectRefusal(await edge.fetch(`/api/users/${id}`, json("PUT", body, SERVER)), 400, "bad_message");
  });
});

describe("[CONT-2] GET /api/contacts", () => {
  test("shows who is here and who is not, and never the asker", async () => {
    const { ada: asker, bob, phone, tablet, laptop } = await scene(edge);
    const contacts = async () =>
      ContactsResponse.strict().parse(await (await edge.as(asker, "/api/contacts")).json()).contacts;
    const status = async () => (await contacts()).find(({ userId }) => userId === bob.userId)?.status;
    await expect.poll(status).toBe("online");
    await Promise.all([phone.close(), tablet.close(), laptop.close()]);
    expect(await status()).toBe("offline");
    expect((await contacts()).map(({ userId }) => userId)).not.toContain(asker.userId);
  });
});

test("[FLEET-5] GET /api/regions names where a device can measure, and nothing else", async () => {
  const answer = await edge.as(ada, "/api/regions");
  expect(RegionsResponse.strict().parse(await answer.json())).toEqual({
    regions: [
      { region: "eu-west", pingUrl: "https://eu.example/ping?a=b" },
      { region: "us-east", pingUrl: "https://us.example/ping" },
    ],
  });
});

describe("GET /api/calls", () => {
  test("[HTTP-3] pages go on where the last one ended, whatever comes in between; strangers see nothing", async () => {
    const { ada: asker, bob, caller } = await scene(edge);
    const ids: string[] = [];
    const callAndHangUp = async () => {
      const { callId } = await initiate(caller, bob.userId);
      await caller.ask({ type: "call_end", callId });
      ids.unshift(callId);
    };
    const written = () => expect.poll(async () => (await calls(asker)).calls.map(({ id }) => id)).toEqual(ids);
    for (let i = 0; i < 5; i++) await callAndHangUp();
    await written();
    const first = await calls(asker, "?limit=2");
    const old = [...ids];
    await callAndHangUp();
    await written();
    const second = await calls(asker, `?limit=2&cursor=${first.nextCursor}`);
    const third = await calls(asker, `?limit=2&cursor=${second.nextCursor}`);
    expect([first, second, third].map((page) => page.calls.map(({ id }) => id))).toEqual([
      old.slice(0, 2),
      old.slice(2, 4),
      old.slice(4),
    ]);
    expect(third.nextCursor).toBeNull();
    expect(await calls(await edge.person("Eve"))).toEqual({ calls: [], nextCursor: null });
  });

  test("[HTTP-3] holds each call whole", async () => {
    const people = await scene(edge);
    const callId = await connect(people);
    await people.caller.ask({ type: "call_end", callId });
    await expect.poll(async () => (await calls(people.bob)).calls[0]?.outcome).toBe("completed");
    const [entry] = (await calls(people.bob)).calls;
    const { ada: initiator, bob, caller, phone } = people;
    const was = (person: Person, deviceId: string) => {
      const times = { joinedAt: expect.any(String), leftAt: expect.any(String) };
      return { userId: person.userId, name: person.name, state: "left", deviceId, ...times };
    };
    expect(entry).toEqual({
      id: callId,
      callType: "video",
      direction: "incoming",
      outcome: "completed",
      initiatorId: initiator.userId,
      createdAt: expect.any(String),
      connectedAt: expect.any(String),
      endedAt: expect.any(String),
      durationSeconds: expect.any(Number),
      answeredByDevice: phone.deviceId,
      participants: expect.arrayContaining([was(initiator, caller.deviceId), was(bob, phone.deviceId)]),
    });
  });
});

describe("[DEV-1] [DEV-3] GET and DELETE /api/devices", () => {
  test("the asker's devices, and nobody else's, can be seen and taken away", async () => {
    const bob = await edge.person("Bob");
    const [phone, tablet] = [await edge.device(bob), await edge.device(bob)];
    await phone.register({ deviceName: "Bob's phone" });
    await tablet.close();
    const devices = async () =>
      DevicesResponse.strict().parse(await (await edge.as(bob, "/api/devices")).json()).devices;
    const about = { deviceType: "Web", deviceName: null, doNotDisturb: false, push: null };
    expect(await devices()).toEqual([
      { ...about, deviceId: phone.deviceId, deviceName: "Bob's phone", connected: true, lastSeen: null },
      { ...about, deviceId: tablet.deviceId, connected: false, lastSeen: expect.any(String) },
    ]);
    const path = `/api/devices/${tablet.deviceId}`;
    await expectRefusal(await edge.as(ada, path, { method: "DELETE" }), 404, "not_found");
    const removed = await edge.as(bob, path, { method: "DELETE" });
    expect([removed.status, await removed.text()]).toEqual([204, ""]);
    expect((await devices()).map(({ deviceId }) => deviceId)).toEqual([phone.deviceId]);
    await expectRefusal(await edge.as(bob, path, { method: "DELETE" }), 404, "not_found");
  });
});

describe("[PRES-4] GET /api/users/:id/presence", () => {
  test("says who is here, since when who is not, and nothing of one that was never here", async () => {
    const bob = await edge.person("Bob");
    const presence = async (userId: string) =>
      PresenceResponse.strict().parse(await (await edge.as(ada, `/api/users/${userId}/presence`)).json());
    expect(await presence(bob.userId)).toEqual({ userId: bob.userId, status: "offline", lastSeen: null });
    const phone = await edge.device(bob);
    expect(await presence(bob.userId.toUpperCase())).toMatchObject({ userId: bob.userId, status: "online" });
    await phone.close();
    const gone = await presence(bob.userId);
    expect(gone.status).toBe("offline");
    expect(Math.abs(Date.now() - Date.parse(gone.lastSeen ?? ""))).toBeLessThan(5_000);
    const nobody = randomUUID();
    expect(await presence(nobody)).toEqual({ userId: nobody, status: "offline", lastSeen: null });
  });
});
