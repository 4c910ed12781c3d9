import type { Context } from "hono";
import type { VapidKeyResponse } from "../../schema/http.ts";
import { vapidKeys } from "../push/vapid.ts";
import type { Bindings } from "./bindings.ts";
import { HttpRefusal } from "./errors.ts";

/** The key that a browser subscribes with, so that nobody else can push to the subscription. */
export function vapidKey(context: Context<Bindings>): Response {
  const keys = vapidKeys(context.env);
  if (!keys) throw new HttpRefusal("not_found", "web push is not set up here");
  const body: VapidKeyResponse = { publicKey: keys.publicKey };
  return context.json(body);
}
