import type { ErrorCode } from "../../schema/errors.ts";
import { Region } from "../../schema/fleet.ts";

/**
 * `GET /sfu/nodes?region=`: an SFU node opens its registration socket. Refused before the upgrade:
 * 401 without the node key, 426 without an upgrade, 400 without a region.
 */
export async function connectNode(request: Request, env: Env): Promise<Response> {
  if (!(await hasNodeKey(request, env.SFU_NODE_KEY))) return refuse(401, "unauthorized", "the node key is wrong");
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
    return refuse(426, "bad_message", "this is a WebSocket endpoint");
  }
  const region = Region.safeParse(new URL(request.url).searchParams.get("region"));
  if (!region.success) return refuse(400, "bad_message", "the query needs a `region`");
  // A request of our own, so that the key does not travel further than here.
  const upgrade = new Request(request.url, { headers: { upgrade: "websocket" } });
  return env.FLEET.getByName(region.data).fetch(upgrade);
}

async function hasNodeKey(request: Request, key: string): Promise<boolean> {
  const given = /^Bearer (.+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  if (given === undefined || key === "") return false;
  // Digests have one length, so neither the key nor its length shows in the time that this takes.
  const [a, b] = await Promise.all([digest(given), digest(key)]);
  return crypto.subtle.timingSafeEqual(a, b);
}

function digest(text: string): Promise<ArrayBuffer> {
  return crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
}

function refuse(status: 400 | 401 | 426, code: ErrorCode, message: string): Response {
  return Response.json({ error: { code, message } }, { status });
}
