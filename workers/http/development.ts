import type { Context } from "hono";
import { DevTokenRequest } from "../../schema/http.ts";
import { signDevelopmentToken } from "./auth.ts";
import type { Bindings } from "./bindings.ts";
import { HttpRefusal, parseBody } from "./errors.ts";

/** A token for whoever asks: only where the deployment turned it on. */
export async function developmentToken(context: Context<Bindings>): Promise<Response> {
  if (!isDevelopment(context.env)) throw new HttpRefusal("not_found", "no such route");
  const { userId = crypto.randomUUID(), name } = await parseBody(context, DevTokenRequest);
  await context.env.USERS.getByName(userId).setProfile({ name, avatarUrl: null });
  return context.json({ token: await signDevelopmentToken(userId, name, context.env), userId });
}

export function isDevelopment(env: Env): boolean {
  return env.DEVELOPMENT === "on";
}
