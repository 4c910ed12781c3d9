import type { Context } from "hono";
import { RoomSocketQuery } from "../../schema/room-socket.ts";
import type { Bindings } from "./bindings.ts";
import { parse, pathId } from "./errors.ts";
import { requireKey } from "./keys.ts";
import { requireUpgrade } from "./sfu-nodes.ts";

/**
 * `GET /sfu/rooms/:id?epoch=&nodeId=`: an SFU node opens the socket of a room that was placed on it. Refused before
 * the upgrade: 401 without the node key, 426 without an upgrade, 400 for what names no room. Whether the room is this
 * node's the call decides, by closing the socket.
 */
export async function connectRoom(context: Context<Bindings>): Promise<Response> {
  const { req, env } = context;
  await requireKey(req.raw, env.SFU_NODE_KEY, env);
  requireUpgrade(req.raw);
  const callId = pathId(context);
  parse(RoomSocketQuery, req.query());
  // A request of our own, so that the key does not travel further than here.
  return env.CALLS.getByName(callId).fetch(new Request(req.url, { headers: { upgrade: "websocket" } }));
}
