import type { Context } from "hono";
import { Region } from "../../schema/fleet.ts";
import type { Bindings } from "./bindings.ts";
import { HttpRefusal, parse } from "./errors.ts";
import { requireKey } from "./keys.ts";

/**
 * `GET /sfu/nodes?region=`: an SFU node opens its registration socket. Refused before the upgrade:
 * 401 without the node key, 426 without an upgrade, 400 without a region.
 */
export async function connectNode({ req, env }: Context<Bindings>): Promise<Response> {
  await requireKey(req.raw, env.SFU_NODE_KEY, env);
  requireUpgrade(req.raw);
  const region = parse(Region, req.query("region"));
  // A request of our own, so that the key does not travel further than here.
  return env.FLEET.getByName(region).fetch(new Request(req.url, { headers: { upgrade: "websocket" } }));
}

export function requireUpgrade({ headers }: Request): void {
  if (headers.get("upgrade")?.toLowerCase() === "websocket") return;
  throw new HttpRefusal("bad_message", "this is a WebSocket endpoint", { status: 426 });
}
