import type { Context } from "hono";
import type * as z from "zod";
import type { ContactsResponse, UserResponse } from "../../schema/http.ts";
import { findUsers } from "../ledger/contacts.ts";
import { type Database, openDatabase } from "../ledger/database.ts";
import { listAcquaintances, listUsers } from "../ledger/history.ts";
import type { Bindings } from "./bindings.ts";
import { contactOf } from "./contact.ts";
import { asked } from "./database.ts";
import { isDevelopment } from "./development.ts";

/** Each costs one request to that user's object, and one request of the Worker may make 1,000. */
const MAX_CONTACTS = 500;

type User = z.infer<typeof UserResponse>;

/** Those whom the asker has added, and with whom they were in a call; in development everybody. */
export async function contacts(context: Context<Bindings>): Promise<Response> {
  const { userId } = context.var.identity;
  const { USERS } = context.env;
  const settings = await USERS.getByName(userId).rules();
  const added = Object.keys(settings.contacts);
  const users = await asked(listContacts(openDatabase(context.env), userId, added, isDevelopment(context.env)));
  const found = users.map((user) => contactOf(user, settings, USERS.getByName(user.userId).presence(userId)));
  const body: ContactsResponse = { contacts: await Promise.all(found) };
  return context.json(body);
}

/** By name. If they are too many, those who were added come first. */
async function listContacts(db: Database, userId: string, added: readonly string[], everybody: boolean) {
  const [theirs, others] = await Promise.all([
    findUsers(db, added.slice(0, MAX_CONTACTS)),
    everybody ? listUsers(db, MAX_CONTACTS + 1) : listAcquaintances(db, userId, MAX_CONTACTS),
  ]);
  const users = new Map([...theirs, ...others].map((user) => [user.userId, user]));
  users.delete(userId);
  return [...users.values()].slice(0, MAX_CONTACTS).sort(byName);
}

function byName(a: User, b: User): number {
  return a.name.localeCompare(b.name) || (a.userId < b.userId ? -1 : 1);
}
