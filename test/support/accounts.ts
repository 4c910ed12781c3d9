import type { BrowserContext, Page } from "playwright-core";
import { ContactsResponse, DevTokenResponse } from "../../schema/http.ts";
import { PATIENCE_MS } from "./patience.ts";
import { until } from "./until.ts";

/** Somebody whom a site knows. */
export interface Account {
  readonly userId: string;
  readonly name: string;
  readonly token: string;
}

/** People who are on each other's list, back when the first of them can see the others. */
export async function introduce(url: string, names: readonly string[]): Promise<Account[]> {
  const accounts = await Promise.all(names.map((name) => register(url, name)));
  const [first, ...others] = accounts;
  if (!first) throw new Error("nobody was named");
  const ids = others.map(({ userId }) => userId);
  const known = async () => {
    const listed = await contacts(url, first.token);
    return ids.every((id) => listed.includes(id));
  };
  await until(known, "the ledger's word of everybody", PATIENCE_MS);
  return accounts;
}

/** Before a page is opened: this person was here before, in this browser. */
export async function remember(where: BrowserContext | Page, { userId, name }: Account): Promise<void> {
  await where.addInitScript(
    (account) => {
      const key = "switchboard.accounts";
      if (localStorage.getItem(key) === null) localStorage.setItem(key, JSON.stringify([account]));
    },
    { userId, name },
  );
}

async function register(url: string, name: string): Promise<Account> {
  const answer = await fetch(`${url}/api/dev/token`, { method: "POST", body: JSON.stringify({ name }) });
  const { userId, token } = DevTokenResponse.parse(await answer.json());
  return { userId, name, token };
}

async function contacts(url: string, token: string): Promise<string[]> {
  const answer = await fetch(`${url}/api/contacts`, { headers: { authorization: `Bearer ${token}` } });
  return ContactsResponse.parse(await answer.json()).contacts.map(({ userId }) => userId);
}
