import { setTimeout as delay } from "node:timers/promises";
import type { Browser } from "playwright-core";
import { type Stack, StackInRoom } from "../../support/stack-participant.ts";
import { type Percentiles, percentiles, rounded } from "../statistics.ts";
import { DelayPath } from "./delay-path.ts";
import { type End, GlassPage } from "./glass-page.ts";
import { remoteOf } from "./load-description.ts";
import { SfuProcess } from "./sfu-process.ts";

export interface LatencyPlan {
  /** Of the network between a client and the SFU, each way; 0 for loopback as it is. */
  readonly delaysMs: readonly number[];
  readonly rounds: number;
  /** Until the jitter buffer and the estimate of the bandwidth have found their measure. */
  readonly settleSeconds: number;
  /** Of each path in each round. */
  readonly seconds: number;
}

/** From the moment a picture is drawn to the moment it is shown by the other, in ms. */
export interface Latency {
  readonly delayMs: number;
  /** Over the same distance: twice the delay, as there is nobody half way. */
  readonly peerToPeer: Percentiles;
  readonly sfu: Percentiles;
  /** Of one p95 over the other. */
  readonly addedMs: number;
  readonly pictures: number;
}

const ENDS: readonly End[] = ["near", "far"];

/** Two clients in Chromium, in turns directly and through a room of ours. */
export async function measureLatency(
  plan: LatencyPlan,
  { browser, workerBin }: { readonly browser: Browser; readonly workerBin: string },
  say: (line: string) => void,
): Promise<readonly Latency[]> {
  const { delaysMs, rounds } = plan;
  const found: Latency[] = [];
  for (const delayMs of delaysMs) {
    const [direct, forwarded]: [number[], number[]] = [[], []];
    for (let i = 0; i < rounds; i++) {
      say(`latency: ${delayMs} ms each way, round ${i + 1} of ${rounds}`);
      direct.push(...(await onPage(browser, plan, (page, parts) => meet(page, delayMs, parts))));
      forwarded.push(
        ...(await onPage(browser, plan, (page, parts) => meetInRoom(page, { delayMs, workerBin, say }, parts))),
      );
    }
    const [peerToPeer, sfu] = [percentiles(direct), percentiles(forwarded)];
    found.push({
      delayMs,
      peerToPeer,
      sfu,
      addedMs: rounded(sfu.p95 - peerToPeer.p95),
      pictures: direct.length + forwarded.length,
    });
  }
  return found;
}

async function onPage(
  browser: Browser,
  { settleSeconds, seconds }: LatencyPlan,
  connect: (page: GlassPage, parts: AsyncDisposableStack) => Promise<void>,
): Promise<number[]> {
  await using parts = new AsyncDisposableStack();
  const page = await GlassPage.open(browser);
  parts.defer(() => page.close());
  await connect(page, parts);
  await page.shown();
  await delay(settleSeconds * 1_000);
  // Awaited here: the page is closed on the way out.
  return await page.ages(seconds * 1_000);
}

/** Peer to peer: directly, or by a path as long as that through the SFU. */
async function meet(page: GlassPage, delayMs: number, parts: AsyncDisposableStack): Promise<void> {
  await page.begin("sendrecv");
  const path = delayMs === 0 ? null : await DelayPath.open(2 * delayMs, null);
  if (path) parts.defer(() => path.close());
  const offer = await page.describe("near");
  await page.accept("far", "offer", reachable(offer, path?.farPort));
  const answer = await page.describe("far");
  await page.accept("near", "answer", reachable(answer, path?.nearPort));
}

interface ByRoom {
  readonly delayMs: number;
  readonly workerBin: string;
  readonly say: (line: string) => void;
}

async function meetInRoom(
  page: GlassPage,
  { delayMs, workerBin, say }: ByRoom,
  parts: AsyncDisposableStack,
): Promise<void> {
  const sfu = await SfuProcess.start({ subject: "ours", workerBin, log: say });
  parts.defer(() => sfu.stop());
  await page.begin("sendonly");
  for (const end of ENDS) {
    const one = new StackInRoom(end, stackOf(page, end, delayMs, parts), async (message) => sfu.tell(message));
    sfu.people.set(end, one);
    await one.join();
  }
}

/** A client as a room sees it. */
function stackOf(page: GlassPage, end: End, delayMs: number, parts: AsyncDisposableStack): Stack {
  let path: DelayPath | null = null;
  const throughPath = async (sdp: string) => {
    if (delayMs === 0) return sdp;
    path ??= await openPath(sdp, delayMs, parts);
    return reachable(sdp, path.nearPort);
  };
  return {
    offer: () => page.describe(end),
    takeAnswer: async (sdp) => page.accept(end, "answer", await throughPath(sdp)),
    answer: async (sdp) => {
      await page.accept(end, "offer", await throughPath(sdp));
      return page.describe(end);
    },
    received: async () => new Map(),
    close: async () => {},
  };
}

async function openPath(sdp: string, delayMs: number, parts: AsyncDisposableStack): Promise<DelayPath> {
  const { ip: address, port } = remoteOf(sdp);
  const path = await DelayPath.open(delayMs, { address, port });
  parts.defer(() => path.close());
  return path;
}

const CANDIDATE = /^a=candidate:.*\r?\n/gm;

/**
 * The same description with one candidate, that of the path. Without a path those on this machine stay, but by their
 * address: browsers hide it behind a name that only multicast DNS resolves.
 */
function reachable(sdp: string, port: number | undefined): string {
  if (port === undefined) return sdp.replace(/[0-9a-f-]+\.local/g, "127.0.0.1");
  const candidate = `a=candidate:1 1 udp 2130706431 127.0.0.1 ${port} typ host\r\n`;
  // After each section's m-line would be wrong: RFC 8866, section 5 wants its c-line before all attributes.
  return sdp.replace(CANDIDATE, "").replace(/^a=ice-ufrag:/gm, `${candidate}a=ice-ufrag:`);
}
