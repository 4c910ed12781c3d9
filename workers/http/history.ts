import type { Context } from "hono";
import { HistoryQuery } from "../../schema/http.ts";
import { openDatabase } from "../ledger/database.ts";
import { listCalls } from "../ledger/history.ts";
import type { Bindings } from "./bindings.ts";
import { asked } from "./database.ts";
import { parse } from "./errors.ts";

export async function history(context: Context<Bindings>): Promise<Response> {
  const query = parse(HistoryQuery, context.req.query());
  return context.json(await asked(listCalls(openDatabase(context.env), context.var.identity.userId, query)));
}
