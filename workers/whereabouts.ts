import * as z from "zod";
import type { Register } from "../schema/client-messages.ts";
import type { Party } from "./fleet/regions.ts";

/**
 * Where a device seems to be, as Cloudflare sees its request, to within a city. It places the call's room; it is kept
 * with the device's open socket alone, and never written.
 */
const Seen = z.object({
  latitude: z.coerce.number().min(-90).max(90).nullable().catch(null),
  longitude: z.coerce.number().min(-180).max(180).nullable().catch(null),
  continent: z.string().length(2).nullable().catch(null),
});

const SEEN_HEADER = "x-switchboard-seen-from";

/** Where a request comes from. */
export function seenFrom({ cf }: { readonly cf?: unknown }): Party {
  return partyOf(Seen.parse(cf ?? {}));
}

/** A request for an object, with where it comes from. */
export function withWhereabouts(asked: Request, { cf }: { readonly cf?: unknown }): Request {
  const { latitude, longitude, continent } = Seen.parse(cf ?? {});
  const request = new Request(asked);
  request.headers.set(SEEN_HEADER, JSON.stringify({ latitude, longitude, continent }));
  return request;
}

export function whereaboutsOf({ headers }: Request): Party {
  return partyOf(Seen.parse(JSON.parse(headers.get(SEEN_HEADER) ?? "{}")));
}

function partyOf({ latitude, longitude, continent }: z.infer<typeof Seen>): Party {
  return { at: latitude !== null && longitude !== null ? { latitude, longitude } : null, continent, rtts: {} };
}

/** With what the device has measured itself. */
export function withMeasured(party: Party, { rtts = [] }: Register): Party {
  return { ...party, rtts: Object.fromEntries(rtts.map(({ region, ms }) => [region, ms])) };
}
