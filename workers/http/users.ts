import type { Context } from "hono";
import { UserRequest } from "../../schema/http.ts";
import type { Bindings } from "./bindings.ts";
import { HttpRefusal, parseBody, pathId } from "./errors.ts";
import { requireKey } from "./keys.ts";

/** The app's server tells of a user, who can then be called before ever having been here. */
export async function putUser(context: Context<Bindings>): Promise<Response> {
  await requireKey(context.req.raw, context.env.SERVER_KEY, context.env);
  const userId = pathId(context);
  const { name, avatarUrl = null } = await parseBody(context, UserRequest);
  await context.env.USERS.getByName(userId).setProfile({ name, avatarUrl });
  return context.json({ userId, name, avatarUrl });
}

export async function presence(context: Context<Bindings>): Promise<Response> {
  const userId = pathId(context);
  return context.json(await context.env.USERS.getByName(userId).presence(context.var.identity.userId));
}

export async function devices(context: Context<Bindings>): Promise<Response> {
  return context.json(await context.env.USERS.getByName(context.var.identity.userId).devices());
}

export async function removeDevice(context: Context<Bindings>): Promise<Response> {
  const deviceId = pathId(context);
  const wasKnown = await context.env.USERS.getByName(context.var.identity.userId).removeDevice(deviceId);
  if (!wasKnown) throw new HttpRefusal("not_found", "no such device");
  return context.body(null, 204);
}
