import { createHmac } from "node:crypto";
import type { Context } from "hono";
import type { IceServersResponse } from "../../schema/http.ts";
import type { Bindings } from "./bindings.ts";

/** Seconds that a client may use a credential. Longer only helps whoever copied one. */
const TTL = 300;
/** Seconds that it really lives longer, for clocks that run apart. */
const MARGIN = 60;

/**
 * STUN and TURN servers with a credential of a few minutes: HMAC-SHA1 over `expiry:user`, which
 * coturn's `use-auth-secret` checks without asking anybody (draft-uberti-behave-turn-rest).
 */
export function iceServers(context: Context<Bindings>): Response {
  const { TURN_HOSTS, TURN_SECRET, TURN_TLS_PORT } = context.env;
  const username = `${Math.floor(Date.now() / 1000) + TTL + MARGIN}:${context.var.identity.userId}`;
  const credential = createHmac("sha1", TURN_SECRET).update(username).digest("base64");
  const hosts = TURN_HOSTS.split(",").map((host) => host.trim());
  const turn = (host: string) => [
    `turn:${host}:3478?transport=udp`,
    `turn:${host}:3478?transport=tcp`,
    `turns:${host}:${TURN_TLS_PORT}?transport=tcp`,
  ];
  const body: IceServersResponse = {
    iceServers: [
      { urls: hosts.map((host) => `stun:${host}:3478`) },
      { urls: hosts.flatMap(turn), username, credential },
    ],
    iceTransportPolicy: "all",
    ttl: TTL,
  };
  return context.json(body, 200, { "cache-control": `private, max-age=${TTL - 30}` });
}
