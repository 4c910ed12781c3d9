import type { Context } from "hono";
import { HistoryQuery } from "../../schema/http.ts";
import { openDatabase } from "../ledger/database.ts";
import { hideCall, listCalls } from "../ledger/history.ts";
import type { Bindings } from "./bindings.ts";
import { asked } from "./database.ts";
import { HttpRefusal, parse, pathId } from "./errors.ts";

export async function history(context: Context<Bindings>): Promise<Response> {
  const query = parse(HistoryQuery, context.req.query());
  return context.json(await asked(listCalls(openDatabase(context.env), context.var.identity.userId, query)));
}

/** Deletes the asker's own entry; those of the others stay. */
export async function removeFromHistory(context: Context<Bindings>): Promise<Response> {
  const callId = pathId(context);
  const isTheirs = await asked(hideCall(openDatabase(context.env), context.var.identity.userId, callId));
  if (!isTheirs) throw new HttpRefusal("call_not_found", "no such call");
  return context.body(null, 204);
}
