import type { Page } from "playwright-core";
import * as z from "zod";

/** One end of a candidate pair, as W3C's webrtc-stats names it. */
const End = z.object({
  candidateType: z.enum(["host", "srflx", "prflx", "relay"]),
  /** How a relay is spoken to. */
  relayProtocol: z.enum(["udp", "tcp", "tls"]).optional(),
});
type End = z.infer<typeof End>;

/** How media travels between two: directly, by addresses that a NAT gave (`srflx`), or by a relay. */
export type Way = "none" | "host" | "srflx" | "relay udp" | "relay tcp" | "relay tls";

const RELAYS = ["tls", "tcp", "udp"] as const;

/** By the candidate pairs that both pages use: each knows only its own relay's protocol. */
export async function wayBetween(one: Page, other: Page): Promise<Way> {
  const ends = (await Promise.all([localEnd(one), localEnd(other)])).filter((end) => end !== null);
  if (ends.length < 2) return "none";
  const relay = RELAYS.find((protocol) => ends.some((end) => isRelay(end) && end.relayProtocol === protocol));
  if (relay) return `relay ${relay}`;
  // What a NAT gave is `prflx` where only the checks found it out (RFC 8445, section 7.2.5.3.1).
  return ends.every(({ candidateType }) => candidateType === "host") ? "host" : "srflx";
}

/** Of the pair that a page uses in its latest call; null while there is none. */
async function localEnd(page: Page): Promise<End | null> {
  return End.nullable().parse(await page.evaluate(readLocalEnd));
}

function isRelay({ candidateType }: End): boolean {
  return candidateType === "relay";
}

/** Runs in the page. */
async function readLocalEnd(): Promise<unknown> {
  const reports = new Map(await window.connections.at(-1)?.getStats());
  const transport = [...reports.values()].find(({ type }) => type === "transport");
  return reports.get(reports.get(transport?.selectedCandidatePairId)?.localCandidateId) ?? null;
}
