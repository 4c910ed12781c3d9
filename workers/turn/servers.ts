import { type Party, parseRegions, rank, type Site } from "../fleet/regions.ts";

/** Which TURN servers a device is told of. Pure. */

export interface TurnServer {
  readonly region: Site;
  /** A name or an address; of IPv6 in brackets. */
  readonly host: string;
  /** UDP and TCP. */
  readonly port: number;
  /** Null where it has none. */
  readonly tlsPort: number | null;
}

const SERVER = /([a-z0-9][a-z0-9-]*(?:@-?[\d.]+,-?[\d.]+)?)=(\[[\da-f:.]+\]|[\w.-]+)(?::(\d+)(?:\/(\d+))?)?/gi;

/** Reads `TURN_SERVERS`. Of an address without ports, those of RFC 8656. */
export function parseTurnServers(text: string): TurnServer[] {
  const sites = new Map<string, Site>();
  const found = [...text.matchAll(SERVER)].map(([, place = "", host = "", port, tlsPort]) => {
    const site = parseRegions(place)[0] ?? { name: place, at: null };
    if (!sites.get(site.name)?.at) sites.set(site.name, site);
    const ports = port
      ? { port: Number(port), tlsPort: tlsPort ? Number(tlsPort) : null }
      : { port: 3478, tlsPort: 5349 };
    return { name: site.name, host, ...ports };
  });
  // One of a region's servers says where all of them are.
  return found.map(({ name, ...server }) => ({ ...server, region: sites.get(name) ?? { name, at: null } }));
}

/**
 * Two at most, for a browser tries each over each of its networks, and finds its way later the more there are. The first
 * is in the nearest region, the other one in the next; where there is one region, both are in it.
 * Of several alike each user has their own, so that all are used. If none is known to live, all are taken for alive:
 * who cannot reach them from here says nothing of who has to.
 */
export function serversFor(
  servers: readonly TurnServer[],
  isAlive: (server: TurnServer) => boolean,
  who: { readonly userId: string; readonly party: Party },
): TurnServer[] {
  const living = servers.filter(isAlive);
  const usable = living.length > 0 ? living : servers;
  const sites = [...new Map(usable.map(({ region }) => [region.name, region])).values()];
  const regions = rank(sites, [who.party]).map((name) =>
    turned(
      usable.filter(({ region }) => region.name === name),
      who.userId,
    ),
  );
  const [nearest = [], ...others] = regions;
  const fallback = others.flat()[0] ?? nearest[1];
  return [...nearest.slice(0, 1), ...(fallback ? [fallback] : [])];
}

export function stunUrl({ host, port }: TurnServer): string {
  return `stun:${host}:${port}`;
}

/** The cheapest way first; TLS for networks that let nothing else out. */
export function turnUrls({ host, port, tlsPort }: TurnServer): string[] {
  const plain = [`turn:${host}:${port}?transport=udp`, `turn:${host}:${port}?transport=tcp`];
  return tlsPort === null ? plain : [...plain, `turns:${host}:${tlsPort}?transport=tcp`];
}

/** Starts with another one for each user. */
function turned<T>(list: readonly T[], userId: string): T[] {
  const start = list.length === 0 ? 0 : Number.parseInt(userId.slice(-8), 16) % list.length;
  return [...list.slice(start), ...list.slice(0, start)];
}
