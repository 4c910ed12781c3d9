import type { Context } from "hono";
import type { NodesResponse } from "../../schema/http.ts";
import { parseRegions } from "../fleet/regions.ts";
import type { Bindings } from "./bindings.ts";
import { HttpRefusal, pathId } from "./errors.ts";
import { requireKey } from "./keys.ts";

/** What the operator asks and orders, with the server key. */

export async function nodes(context: Context<Bindings>): Promise<Response> {
  await requireKey(context.req.raw, context.env.SERVER_KEY, context.env);
  const all = await Promise.all(fleets(context.env).map((fleet) => fleet.nodes()));
  return context.json({ nodes: all.flat() } satisfies NodesResponse);
}

/** Which region a node is in its id does not say: all are asked. */
export async function drainNode(context: Context<Bindings>): Promise<Response> {
  await requireKey(context.req.raw, context.env.SERVER_KEY, context.env);
  const nodeId = pathId(context);
  const answers = await Promise.all(fleets(context.env).map((fleet) => fleet.drain(nodeId)));
  if (!answers.includes(true)) throw new HttpRefusal("not_found", "no such node is registered");
  return context.body(null, 204);
}

function fleets(env: Env) {
  return parseRegions(env.SFU_REGIONS).map(({ name }) => env.FLEET.getByName(name));
}
