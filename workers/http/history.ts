import type { Context } from "hono";
import { HistoryQuery } from "../../schema/http.ts";
import { CursorRefused } from "../ledger/cursor.ts";
import { openDatabase } from "../ledger/database.ts";
import { listCalls } from "../ledger/history.ts";
import type { Bindings } from "./app.ts";
import { HttpRefusal, parse } from "./errors.ts";

export async function history(context: Context<Bindings>): Promise<Response> {
  const query = parse(HistoryQuery, context.req.query());
  try {
    return context.json(await listCalls(openDatabase(context.env), context.var.identity.userId, query));
  } catch (error) {
    if (error instanceof CursorRefused) throw new HttpRefusal(error.refusal.code, error.refusal.message);
    throw error;
  }
}
