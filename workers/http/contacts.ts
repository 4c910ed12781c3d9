import type { Context } from "hono";
import type { ContactsResponse } from "../../schema/http.ts";
import { openDatabase } from "../ledger/database.ts";
import { listUsers } from "../ledger/history.ts";
import type { Bindings } from "./app.ts";

/** As many as a page shows; each costs one request to that user's object. */
const MAX_CONTACTS = 100;

export async function contacts(context: Context<Bindings>): Promise<Response> {
  const { userId } = context.var.identity;
  const users = await listUsers(openDatabase(context.env), MAX_CONTACTS);
  const others = users.filter((user) => user.userId !== userId);
  const asked = others.map(async ({ userId: id, name, avatarUrl }) => {
    const presence = await context.env.USERS.getByName(id).presence();
    return { ...presence, name, avatarUrl };
  });
  const body: ContactsResponse = { contacts: await Promise.all(asked) };
  return context.json(body);
}
