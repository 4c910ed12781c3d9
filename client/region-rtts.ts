import { MAX_RTTS, type RegionRtt } from "../schema/client-messages.ts";
import type { RegionPing } from "../schema/http.ts";
import type { Api } from "./api.ts";
import type { Platform } from "./platform.ts";

/** A region that takes longer is none to hold a call in. */
const TIMEOUT_MS = 2_000;
/** Servers stay where they are, and a device that has moved connects anew. Longer trusts an old network. */
const KEPT_MS = 10 * 60_000;

/** How far this device is from the regions of media nodes. Where it cannot be measured, the edge goes by its location. */
export class RegionRtts {
  readonly #platform: Pick<Platform, "fetch" | "now">;
  #measured: readonly RegionRtt[] = [];
  #measuredAt = Number.NEGATIVE_INFINITY;

  constructor(platform: Pick<Platform, "fetch" | "now">) {
    this.#platform = platform;
  }

  /** As last measured. */
  get measured(): readonly RegionRtt[] {
    return this.#measured;
  }

  /** Nobody waits for it. */
  async measure(api: Pick<Api, "regions">): Promise<void> {
    const { now } = this.#platform;
    if (now() < this.#measuredAt + KEPT_MS) return;
    this.#measuredAt = now();
    const { regions } = await api.regions().catch(() => ({ regions: [] }));
    const measured = await Promise.all(regions.slice(0, MAX_RTTS).map((ping) => this.#roundTrip(ping)));
    this.#measured = measured.flat();
  }

  /** The first request opens the connection; the second is one round trip. */
  async #roundTrip({ region, pingUrl }: RegionPing): Promise<RegionRtt[]> {
    const { fetch, now } = this.#platform;
    const init: RequestInit = { mode: "no-cors", cache: "no-store", credentials: "omit" };
    try {
      await fetch(pingUrl, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
      const asked = now();
      await fetch(pingUrl, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
      return [{ region, ms: Math.max(0, now() - asked) }];
    } catch {
      return [];
    }
  }
}
