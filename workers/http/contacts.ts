import type { Context } from "hono";
import type { ContactsResponse } from "../../schema/http.ts";
import { openDatabase } from "../ledger/database.ts";
import { listAcquaintances, listUsers } from "../ledger/history.ts";
import type { Bindings } from "./bindings.ts";
import { asked } from "./database.ts";
import { isDevelopment } from "./development.ts";

/** Each costs one request to that user's object, and one request of the Worker may make 1,000. */
const MAX_CONTACTS = 500;

/** Those with whom the asker was in a call; in development everybody. */
export async function contacts(context: Context<Bindings>): Promise<Response> {
  const { userId } = context.var.identity;
  const db = openDatabase(context.env);
  const everybody = isDevelopment(context.env);
  const users = await asked(everybody ? listUsers(db, MAX_CONTACTS + 1) : listAcquaintances(db, userId, MAX_CONTACTS));
  const others = users.filter((user) => user.userId !== userId).slice(0, MAX_CONTACTS);
  const present = others.map(async ({ userId: id, name, avatarUrl }) => {
    const presence = await context.env.USERS.getByName(id).presence(userId);
    return { ...presence, name, avatarUrl };
  });
  const body: ContactsResponse = { contacts: await Promise.all(present) };
  return context.json(body);
}
