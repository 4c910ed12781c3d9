import type { Context } from "hono";
import { IceServersQuery, type IceServersResponse } from "../../schema/http.ts";
import { type CloudflareTurnEnv, fromCloudflare, type Issued } from "../turn/cloudflare.ts";
import { TTL, turnCredential } from "../turn/credential.ts";
import { liveness } from "../turn/liveness.ts";
import { parseTurnServers, serversFor, stunUrl, turnUrls } from "../turn/servers.ts";
import { seenFrom } from "../whereabouts.ts";
import type { Bindings } from "./bindings.ts";
import { HttpRefusal, parse } from "./errors.ts";

type Policy = IceServersResponse["iceTransportPolicy"];

/** A client asks anew so many seconds before what it has is no longer good. */
const ASKED_ANEW = 30;

/** What a client has while the provider fails: direct calls still connect, and it asks again in half a minute. */
const WITHOUT_TURN: Issued = { iceServers: [{ urls: ["stun:stun.cloudflare.com:3478"] }], ttl: 60 };

/** STUN and TURN servers near the asker, with a credential of a few minutes. */
export async function iceServers(context: Context<Bindings>): Promise<Response> {
  const { policy } = parse(IceServersQuery, context.req.query());
  const iceTransportPolicy = await policyFor(context, policy);
  const { iceServers, ttl } = await issue(context, iceTransportPolicy);
  const body: IceServersResponse = { iceServers, iceTransportPolicy, ttl };
  return context.json(body, 200, { "cache-control": `private, max-age=${ttl - ASKED_ANEW}` });
}

/** The strictest of what the deployment, the request and the user say; the user's object is asked last. */
async function policyFor({ env, var: { identity } }: Context<Bindings>, asked: Policy): Promise<Policy> {
  if (asked === "relay" || env.ICE_TRANSPORT_POLICY === "relay") return "relay";
  const { relayOnly } = await env.USERS.getByName(identity.userId).settings();
  return relayOnly ? "relay" : "all";
}

async function issue(context: Context<Bindings>, policy: Policy): Promise<Issued> {
  if (context.env.TURN_PROVIDER !== "cloudflare") return { iceServers: await ofOurOwn(context), ttl: TTL };
  const env: CloudflareTurnEnv = context.env;
  const issued = await fromCloudflare(env, context.var.identity.userId, Date.now());
  if (issued) return issued;
  if (policy === "all") return WITHOUT_TURN;
  throw new HttpRefusal("internal", "no relay is to be had", { status: 503 });
}

async function ofOurOwn(context: Context<Bindings>): Promise<Issued["iceServers"]> {
  const { userId } = context.var.identity;
  const { TURN_SECRET, TURN_SERVERS } = context.env;
  const servers = parseTurnServers(TURN_SERVERS);
  const isAlive = await liveness(servers, (work) => context.executionCtx.waitUntil(work));
  const chosen = serversFor(servers, isAlive, { userId, party: seenFrom(context.req.raw) });
  return [
    { urls: chosen.map(stunUrl) },
    { urls: chosen.flatMap(turnUrls), ...turnCredential(userId, TURN_SECRET, Date.now()) },
  ];
}
