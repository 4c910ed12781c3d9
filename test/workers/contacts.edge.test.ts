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

test("[SAFE-2] who was added is listed with their presence, once and by name, until they are taken out", async () => {
  const [ada, bob, abe] = [await person("Ada"), await person("Bob"), await person("Abe")];
  await edge.device(bob);
  await (await edge.device(abe)).close();
  for (const added of [bob, abe, bob]) await change(ada, "POST", added);
  const names = async () => (await contacts(ada)).map(({ name, status }) => [name, status]);
  await expect.poll(names, { timeout: 8_000 }).toEqual([
    ["Abe", "offline"],
    ["Bob", "online"],
  ]);
  expect(await contacts(bob)).toEqual([]);
  await change(ada, "DELETE", bob);
  expect(await names()).toEqual([["Abe", "offline"]]);
});

test("[SAFE-1] in the list of somebody who is blocked the one who blocked them is away", async () => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  await edge.device(bob);
  await change(ada, "POST", bob);
  await expect
    .poll(async () => (await contacts(ada)).map(({ status }) => status), { timeout: 8_000 })
    .toEqual(["online"]);
  expect((await edge.as(bob, `/api/blocks/${ada.userId}`, { method: "PUT" })).status).toBe(204);
  const [blocked] = await contacts(ada);
  expect(blocked).toMatchObject({ status: "offline" });
  await (await edge.device(bob)).close();
  expect(await contacts(ada)).toEqual([blocked]);
});
