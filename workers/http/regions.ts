import type { Context } from "hono";
import { MAX_RTTS } from "../../schema/client-messages.ts";
import type { RegionsResponse } from "../../schema/http.ts";
import { parsePings } from "../fleet/regions.ts";
import type { Bindings } from "./bindings.ts";

/** They change with a deployment. */
const KEPT_SECONDS = 3_600;

/** Where the asker's devices can measure how far the regions of media nodes are; as many as they may report. */
export function regions(context: Context<Bindings>): Response {
  const body: RegionsResponse = { regions: parsePings(context.env.SFU_PINGS).slice(0, MAX_RTTS) };
  return context.json(body, 200, { "cache-control": `private, max-age=${KEPT_SECONDS}` });
}
