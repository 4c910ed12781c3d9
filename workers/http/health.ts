import type { Context } from "hono";
import type { HealthResponse } from "../../schema/http.ts";
import { parseRegions } from "../fleet/regions.ts";
import { openDatabase } from "../ledger/database.ts";
import { liveCounts } from "../ledger/history.ts";
import type { Bindings } from "./bindings.ts";
import { inTime } from "./in-time.ts";

/** Probes ask often; the services are asked at most this often. */
const CACHED_MS = 2_000;
const TIMEOUT_MS = 1_500;
/** An event that waited this long means that the consumer does not keep up. */
const MAX_QUEUE_LAG_MS = 60_000;

const startedAt = { ms: 0 };
let cached: { at: number; body: HealthResponse } | null = null;

/** 200 when everything answers, 503 when something does not; the body says which. */
export async function health(context: Context<Bindings>): Promise<Response> {
  const now = Date.now();
  if (startedAt.ms === 0) startedAt.ms = now;
  if (!cached || now - cached.at > CACHED_MS) cached = { at: now, body: await ask(context.env, now) };
  return context.json(cached.body, cached.body.status === "ok" ? 200 : 503);
}

async function ask(env: Env, now: number): Promise<HealthResponse> {
  const [counts, queue, nodes] = await Promise.all([
    inTime(liveCounts(openDatabase(env)), TIMEOUT_MS),
    inTime(env.LEDGER.metrics(), TIMEOUT_MS),
    inTime(nodesOf(env), TIMEOUT_MS),
  ]);
  const oldest = queue?.oldestMessageTimestamp?.getTime() ?? now;
  const up = nodes ?? 0;
  const services: HealthResponse["services"] = {
    postgres: { status: counts ? "ok" : "down" },
    queue: { status: queue ? (now - oldest > MAX_QUEUE_LAG_MS ? "degraded" : "ok") : "down" },
    // The fleet's object answered, so objects do: sockets end in objects like it.
    websocket: { status: nodes === null ? "down" : "ok" },
    sfu: { status: up > 0 ? "ok" : "down", nodes: up },
  };
  const isFine = Object.values(services).every((service) => service.status === "ok");
  return {
    status: isFine ? "ok" : "degraded",
    uptime: Math.round((now - startedAt.ms) / 1000),
    services,
    activeConnections: counts?.activeConnections ?? 0,
    activeCalls: counts?.activeCalls ?? 0,
  };
}

/** How many SFU nodes hold a lease, in all regions. */
async function nodesOf(env: Env): Promise<number> {
  const regions = parseRegions(env.SFU_REGIONS);
  const nodes = await Promise.all(regions.map(({ name }) => env.FLEET.getByName(name).nodes()));
  return nodes.flat().length;
}
