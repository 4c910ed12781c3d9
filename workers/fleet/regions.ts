import type { Region } from "../../schema/fleet.ts";
import { RegionPing } from "../../schema/http.ts";

/** In which region a room is best placed, for the people who are in it. Pure. */

/** In degrees. */
export interface Coordinates {
  readonly latitude: number;
  readonly longitude: number;
}

export interface Site {
  readonly name: Region;
  /** Null where it is not said. */
  readonly at: Coordinates | null;
}

/** What is known of where one device in the call is. */
export interface Party {
  readonly at: Coordinates | null;
  /** Of two letters, as Cloudflare names them. */
  readonly continent: string | null;
  /** Measured by the device, in ms. */
  readonly rtts: Readonly<Record<Region, number>>;
}

/** Light in fibre there and back: 100 km a ms; and what is not on the straight line. */
const KM_PER_MS = 100;
const LAST_MILE_MS = 10;
/** For a region of which nothing is known: worse than a near one, better than the other side of the earth. */
const UNKNOWN_MS = 150;
const EARTH_KM = 6_371;

/** Where most of a continent's people are, give or take. */
const CONTINENTS: Readonly<Record<string, Coordinates>> = {
  AF: { latitude: 5, longitude: 20 },
  AN: { latitude: -75, longitude: 0 },
  AS: { latitude: 25, longitude: 95 },
  EU: { latitude: 50, longitude: 10 },
  NA: { latitude: 40, longitude: -95 },
  OC: { latitude: -30, longitude: 145 },
  SA: { latitude: -15, longitude: -58 },
};

const REGION = /([a-z0-9][a-z0-9-]*)(?:@(-?[\d.]+),(-?[\d.]+))?/g;

/** Reads `SFU_REGIONS`: names, each with or without `@latitude,longitude`, and anything else between them. */
export function parseRegions(text: string): Site[] {
  return [...text.matchAll(REGION)].map(([, name = "", latitude, longitude]) => {
    const at = { latitude: Number(latitude), longitude: Number(longitude) };
    return { name, at: Number.isFinite(at.latitude) && Number.isFinite(at.longitude) ? at : null };
  });
}

/** Reads `SFU_PINGS`: where a device measures its way to a region. What is none of that form is left out. */
export function parsePings(text: string): RegionPing[] {
  return text.split(",").flatMap((part) => {
    const [region = "", ...url] = part.trim().split("=");
    const parsed = RegionPing.safeParse({ region, pingUrl: url.join("=") });
    return parsed.success ? [parsed.data] : [];
  });
}

/**
 * The names of the regions, the best first; where nothing tells them apart, as they are configured. What two people
 * wait for each other is the sum of their two ways to the node, so the mean way decides.
 */
export function rank(sites: readonly Site[], parties: readonly Party[]): Region[] {
  const costs = sites.map((site) => ({ name: site.name, cost: mean(parties.map((party) => rtt(party, site))) }));
  return costs.sort((a, b) => a.cost - b.cost).map(({ name }) => name);
}

/** How far a device is from each region, in ms. */
export function rttsOf(sites: readonly Site[], party: Party): Readonly<Record<Region, number>> {
  return Object.fromEntries(sites.map((site) => [site.name, Math.round(rtt(party, site))]));
}

function rtt(party: Party, { name, at }: Site): number {
  const measured = party.rtts[name];
  if (measured !== undefined) return measured;
  const from = party.at ?? CONTINENTS[party.continent ?? ""];
  return from && at ? LAST_MILE_MS + distanceKm(from, at) / KM_PER_MS : UNKNOWN_MS;
}

/** Along the great circle, by the haversine formula. */
function distanceKm(a: Coordinates, b: Coordinates): number {
  const [latitude, longitude] = [radians(b.latitude - a.latitude), radians(b.longitude - a.longitude)];
  const chord =
    Math.sin(latitude / 2) ** 2 +
    Math.cos(radians(a.latitude)) * Math.cos(radians(b.latitude)) * Math.sin(longitude / 2) ** 2;
  return 2 * EARTH_KM * Math.asin(Math.min(1, Math.sqrt(chord)));
}

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
