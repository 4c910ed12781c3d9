import { log } from "../log.ts";
import { probe } from "./probe.ts";
import type { TurnServer } from "./servers.ts";

/** What was seen is taken as it is for this long. Longer sends devices to a server that has died. */
const FRESH_MS = 10_000;
/**
 * Older than this, a request waits for a new probe of those that seemed alive: it is to name none that has died
 * meanwhile. All others are probed behind the answer's back.
 */
const STALE_MS = 60_000;

interface Seen {
  /** Of the probe, or of its start while one is under way. */
  readonly at: number;
  readonly isAlive: boolean;
}

/** What this isolate has seen of each server. Nothing is probed while nobody asks, and so nothing costs. */
const seen = new Map<string, Seen>();

/** @param later takes what goes on after the answer */
export async function liveness(
  servers: readonly TurnServer[],
  later: (work: Promise<unknown>) => void,
): Promise<(server: TurnServer) => boolean> {
  const now = Date.now();
  const due = servers.filter((server) => age(server, now) >= FRESH_MS);
  const isUrgent = due.some((server) => seemsAlive(server) && age(server, now) >= STALE_MS);
  const probes = Promise.all(due.map((server) => look(server, now)));
  if (isUrgent) await probes;
  else later(probes);
  return seemsAlive;
}

/** One request probes, and what others ask meanwhile is answered by what was known. */
async function look(server: TurnServer, now: number): Promise<void> {
  const before = seemsAlive(server);
  seen.set(key(server), { at: now, isAlive: before });
  const isAlive = await probe(server);
  seen.set(key(server), { at: Date.now(), isAlive });
  if (isAlive !== before) log(isAlive ? "turn_server_back" : "turn_server_lost", { server: key(server) });
}

function seemsAlive(server: TurnServer): boolean {
  return seen.get(key(server))?.isAlive ?? true;
}

function age(server: TurnServer, now: number): number {
  return now - (seen.get(key(server))?.at ?? Number.NEGATIVE_INFINITY);
}

function key({ host, port }: TurnServer): string {
  return `${host}:${port}`;
}
