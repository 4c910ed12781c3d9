import { setTimeout as delay } from "node:timers/promises";
import type { Browser } from "playwright-core";
import { median, type Percentiles, percentiles, rounded } from "../statistics.ts";
import { type EdgeRig, startEdgeRig } from "./edge-rig.ts";
import { type Joined, JoinPage, type Quality } from "./join-page.ts";
import { LoadClient, untilHeard } from "./load-client.ts";
import { TILE } from "./load-media.ts";

export interface JoinsPlan {
  /** Participants, with the one who joins. */
  readonly sizes: readonly number[];
  readonly joins: number;
  /** Afterwards it stays, and looks on. */
  readonly watchSeconds: number;
}

export interface Joins {
  readonly participants: number;
  readonly joins: number;
  /** From the decision to join to the first picture of anybody, and of everybody, in ms. */
  readonly first: Percentiles;
  readonly all: Percentiles;
  readonly quality: {
    /** Of the video that had the fewest, and of the middle one. */
    readonly framesPerSecond: { readonly least: number; readonly median: number };
    readonly freezes: number;
    readonly frozenMs: number;
    readonly lostShare: number;
  };
}

const PATIENCE_MS = 60_000;
/** Between two joins: the others' offers and answers about the last one are over. */
const REST_MS = 1_000;

/** A Chromium that joins a room of load clients again and again, over the real edge and a node. */
export async function measureJoins(
  { sizes, joins, watchSeconds }: JoinsPlan,
  { browser, folder, workerBin }: { readonly browser: Browser; readonly folder: string; readonly workerBin: string },
  say: (line: string) => void,
): Promise<readonly Joins[]> {
  await using parts = new AsyncDisposableStack();
  say("joins: starting Postgres, the edge and a node");
  const rig = await startEdgeRig(folder, workerBin, parts, () => {});
  await rig.startNode();
  const found: Joins[] = [];
  for (const participants of sizes) {
    const { times, quality } = await joinAgainAndAgain(rig, browser, { participants, joins, watchSeconds }, say);
    const [first, all] = [times.map((one) => one.firstMs), times.map((one) => one.allMs)];
    const { framesPerSecond, ...trouble } = quality;
    const rates = { least: rounded(Math.min(...framesPerSecond)), median: rounded(median(framesPerSecond)) };
    const seen = { framesPerSecond: rates, ...trouble };
    found.push({ participants, joins, first: percentiles(first), all: percentiles(all), quality: seen });
  }
  return found;
}

async function joinAgainAndAgain(
  rig: EdgeRig,
  browser: Browser,
  { participants, joins, watchSeconds }: Omit<JoinsPlan, "sizes"> & { readonly participants: number },
  say: (line: string) => void,
): Promise<{ times: Joined[]; quality: Quality }> {
  say(`joins: a call of ${participants}`);
  await using parts = new AsyncDisposableStack();
  const page = await JoinPage.open(browser, rig.url);
  parts.defer(() => page.close());
  const opening = Array.from({ length: participants - 1 }, (_, tag) =>
    LoadClient.open(rig.url, `Load ${tag}`, { tag, isSpeaking: tag === 0, camera: TILE }),
  );
  const [caller, ...callees] = await Promise.all(opening);
  if (!caller) throw new Error("somebody has to be there");
  for (const client of [caller, ...callees]) parts.defer(() => client.close());
  caller.callGroup([page.person, ...callees.map(({ person }) => person)]);
  await page.answered();
  await untilHeard([caller, ...callees], participants - 2, PATIENCE_MS);
  const times: Joined[] = [];
  for (let i = 0; i < joins; i++) {
    await delay(REST_MS);
    times.push(await page.join(participants - 1));
  }
  await delay(REST_MS);
  return { times, quality: await page.watch(watchSeconds * 1_000) };
}
