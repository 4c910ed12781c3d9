import type { Context } from "hono";
import { findCallEvents } from "../ledger/call-events.ts";
import { openDatabase } from "../ledger/database.ts";
import type { Bindings } from "./bindings.ts";
import { asked } from "./database.ts";
import { HttpRefusal, pathId } from "./errors.ts";

/** To others there is no such call, whether or not there is one. */
export async function callEvents(context: Context<Bindings>): Promise<Response> {
  const callId = pathId(context);
  const { userId } = context.var.identity;
  const events = await asked(findCallEvents(openDatabase(context.env), userId, callId));
  if (!events) throw new HttpRefusal("call_not_found", "no such call");
  return context.json(events);
}
