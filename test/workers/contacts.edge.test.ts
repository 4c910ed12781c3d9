import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ContactsResponse } from "../../schema/http.ts";
import { Edge, type Person } from "../support/edge.ts";
import { token } from "../support/tokens.ts";

/** Where development is off, a contact is somebody of one's calls, or somebody whom one has added. */
let edge: Edge;
beforeAll(async () => {
  edge = await Edge.start({ DEVELOPMENT: "off" });
});
afterAll(() => edge.close());

async function person(name: string): Promise<Person> {
  const userId = randomUUID();
  return { userId, name, token: await token({ claims: { sub: userId, name } }) };
}

async function contacts(asker: Person): Promise<ContactsResponse["contacts"]> {
  return ContactsResponse.strict().parse(await (await edge.as(asker, "/api/contacts")).json()).contacts;
}

async function change(asker: Person, method: "POST" | "DELETE", { userId }: Person): Promise<void> {
  expect((await edge.as(asker, `/api/contacts/${userId}`, { method })).status).toBe(204);
}

test("[CONT-1] [CONT-4] [SAFE-2] who was added is listed with their presence, once and by name, until they are taken out", async () => {
  const [ada, bob, abe] = [await person("Ada"), await person("Bob"), await person("Abe")];
  await edge.device(bob);
  await (await edge.device(abe)).close();
  for (const added of [bob, abe, bob]) await change(ada, "POST", added);
  const names = async () => (await contacts(ada)).map(({ name, status }) => [name, status]);
  await expect.poll(names).toEqual([
    ["Abe", "offline"],
    ["Bob", "online"],
  ]);
  expect(await contacts(bob)).toEqual([]);
  await change(ada, "DELETE", bob);
  expect(await names()).toEqual([["Abe", "offline"]]);
});

test("[CONT-3] whoever asks sees of each whether they may ring, and nobody else's settings", async () => {
  const [ada, bob, cid] = [await person("Ada"), await person("Bob"), await person("Cid")];
  const phone = await edge.device(ada);
  for (const known of [bob, cid]) await edge.device(known);
  await change(ada, "POST", bob);
  phone.send({ type: "call_initiate", idempotencyKey: "k", calleeIds: [cid.userId], callType: "audio" });
  await phone.next("call_initiated");
  const flags = async () =>
    (await contacts(ada)).map(({ name, added, blocked, mayRing }) => [name, added, blocked, mayRing]);
  await expect.poll(flags).toEqual([
    ["Bob", true, false, true],
    ["Cid", false, false, true],
  ]);
  const body = JSON.stringify({ ringFrom: "contacts" });
  expect((await edge.as(ada, "/api/settings", { method: "PUT", body })).status).toBe(200);
  expect((await edge.as(cid, `/api/blocks/${ada.userId}`, { method: "PUT" })).status).toBe(204);
  expect(await flags()).toEqual([
    ["Bob", true, false, true],
    ["Cid", false, false, false],
  ]);
  expect((await edge.as(ada, `/api/blocks/${bob.userId}`, { method: "PUT" })).status).toBe(204);
  expect(await flags()).toEqual([
    ["Bob", true, true, false],
    ["Cid", false, false, false],
  ]);
});

test("[SAFE-1] in the list of somebody who is blocked the one who blocked them is away", async () => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  await edge.device(bob);
  await change(ada, "POST", bob);
  await expect.poll(async () => (await contacts(ada)).map(({ status }) => status)).toEqual(["online"]);
  expect((await edge.as(bob, `/api/blocks/${ada.userId}`, { method: "PUT" })).status).toBe(204);
  const [blocked] = await contacts(ada);
  expect(blocked).toMatchObject({ status: "offline", added: true, blocked: false, mayRing: true });
  await (await edge.device(bob)).close();
  expect(await contacts(ada)).toEqual([blocked]);
});
