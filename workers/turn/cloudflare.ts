import * as z from "zod";
import type { IceServersResponse } from "../../schema/http.ts";
import { failure, log } from "../log.ts";
import { MARGIN, TTL } from "./credential.ts";

/** Cloudflare's TURN service, in place of servers of one's own. */

export interface CloudflareTurnEnv {
  readonly TURN_CLOUDFLARE_URL: string;
  readonly TURN_CLOUDFLARE_KEY_ID: string;
  /** A secret. */
  readonly TURN_CLOUDFLARE_API_TOKEN?: string;
}

export interface Issued {
  readonly iceServers: IceServersResponse["iceServers"];
  /** Seconds for which they are good. */
  readonly ttl: number;
}

const Urls = z.union([z.string().transform((url) => [url]), z.array(z.string())]);
const Server = z.object({ urls: Urls, username: z.string().optional(), credential: z.string().optional() });
const Answer = z.object({ iceServers: z.array(Server).min(1) });

/** A call waits for it. */
const TIMEOUT_MS = 2_500;
/** Credentials are not given out in their last minute. */
const MIN_TTL = 60;
/** Users whose credentials an isolate remembers. More take memory; those forgotten cost one more request. */
const MAX_KEPT = 1_000;

/** Browsers refuse to speak to a DNS server's port. */
const BLOCKED = /:53(\?|$)/;

const kept = new Map<string, { readonly at: number; readonly iceServers: Issued["iceServers"] }>();

/** @returns null when the service does not give any; the log says why */
export async function fromCloudflare(env: CloudflareTurnEnv, userId: string, now: number): Promise<Issued | null> {
  const known = kept.get(userId);
  const left = known ? TTL - Math.ceil((now - known.at) / 1000) : 0;
  if (known && left >= MIN_TTL) return { iceServers: known.iceServers, ttl: left };
  const iceServers = await generate(env);
  if (!iceServers) return null;
  keep(userId, iceServers, now);
  return { iceServers, ttl: TTL };
}

async function generate(env: CloudflareTurnEnv): Promise<Issued["iceServers"] | null> {
  const path = `/v1/turn/keys/${encodeURIComponent(env.TURN_CLOUDFLARE_KEY_ID)}/credentials/generate-ice-servers`;
  try {
    const answer = await fetch(new URL(path, env.TURN_CLOUDFLARE_URL), {
      method: "POST",
      headers: { authorization: `Bearer ${env.TURN_CLOUDFLARE_API_TOKEN ?? ""}`, "content-type": "application/json" },
      body: JSON.stringify({ ttl: TTL + MARGIN }),
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (!answer.ok) return refused(`status ${answer.status}`);
    return usable(Answer.parse(await answer.json()));
  } catch (error) {
    return refused(failure(error));
  }
}

function usable({ iceServers }: z.infer<typeof Answer>): Issued["iceServers"] {
  const open = iceServers.map(({ urls, username, credential }) => ({
    urls: urls.filter((url) => !BLOCKED.test(url)),
    ...(username !== undefined && { username }),
    ...(credential !== undefined && { credential }),
  }));
  return open.filter(({ urls }) => urls.length > 0);
}

function refused(why: string): null {
  log("turn_provider_failed", { provider: "cloudflare", why });
  return null;
}

/** A Map keeps the order in which it was filled: the oldest goes. */
function keep(userId: string, iceServers: Issued["iceServers"], at: number): void {
  kept.delete(userId);
  kept.set(userId, { at, iceServers });
  const [oldest] = kept.keys();
  if (kept.size > MAX_KEPT && oldest !== undefined) kept.delete(oldest);
}
