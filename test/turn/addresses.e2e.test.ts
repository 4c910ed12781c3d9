import { randomUUID } from "node:crypto";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Account, introduce, remember } from "../support/accounts.ts";
import { launchBrowser, received, recordConnections, shrinkCamera } from "../support/browser.ts";
import { type Coturn, startCoturn } from "../support/coturn.ts";
import { SECRETS } from "../support/edge.ts";
import { Site } from "../support/site.ts";

// Who learns whose address, with the page and a real coturn.

/** What a description says where it says no address, and where the TURN server of these tests is. */
const NOWHERE = new Set(["0.0.0.0", "127.0.0.1"]);

let coturn: Coturn;
let site: Site;
let browser: Browser;
beforeAll(async () => {
  // Both sides of the call are on this machine, and so are their relays.
  coturn = await startCoturn([SECRETS.TURN_SECRET], ["allow-loopback-peers", "allowed-peer-ip=127.0.0.1"]);
  site = await Site.start({ TURN_SERVERS: `local=${coturn.address}` });
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
  await site.close();
  await coturn.close();
});

/** Somebody's page, and all that it is told by the edge. */
interface Open {
  readonly page: Page;
  readonly told: string[];
}

/** The page, in a browser of its own, back when it can call and be called. */
async function open(account: Account): Promise<Open> {
  const context = await browser.newContext({ reducedMotion: "reduce", permissions: ["camera", "microphone"] });
  await recordConnections(context);
  await shrinkCamera(context);
  await remember(context, account);
  const page = await context.newPage();
  const told: string[] = [];
  page.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => void told.push(String(payload))));
  page.on("response", async (answer) => {
    if (answer.url().includes("/api/")) told.push(await answer.text().catch(() => ""));
  });
  const socket = page.waitForEvent("websocket");
  await page.goto(`${site.url}/?${new URLSearchParams({ user: account.name })}`);
  await (await socket).waitForEvent("framereceived", ({ payload }) => String(payload).includes('"registered"'));
  return { page, told };
}

async function two(): Promise<{ ada: Open; bob: Open; adasToken: string; bobsName: string }> {
  const names = ["Ada", "Bob"].map((name) => `${name} ${randomUUID().slice(0, 8)}`);
  const [ada, bob] = await introduce(site.url, names);
  if (!ada || !bob) throw new Error("somebody is missing");
  return { ada: await open(ada), bob: await open(bob), adasToken: ada.token, bobsName: bob.name };
}

async function connects(...pages: readonly Page[]): Promise<void> {
  for (const page of pages) {
    await expect.poll(async () => (await received(page)).framesDecoded).toBeGreaterThan(3);
  }
}

/** The kinds of candidates of one side that a page knows. */
async function candidates(page: Page, side: "local" | "remote"): Promise<string[]> {
  return page.evaluate(async (type) => {
    const kinds = new Set<string>();
    const stats = await window.connections.at(-1)?.getStats();
    stats?.forEach((report) => {
      if (report.type === type) kinds.add(report.candidateType);
    });
    return [...kinds];
  }, `${side}-candidate`);
}

/** Whether a connection of the page has found out where it is. */
async function hasGathered(page: Page): Promise<boolean> {
  return page.evaluate(() => window.connections.at(-1)?.iceGatheringState === "complete");
}

test("[ICE-6] until somebody accepts, no page is told an address, though the caller's has gathered all of its own", async () => {
  const { ada, bob, bobsName } = await two();
  await ada.page.getByRole("button", { name: `Video call with ${bobsName}` }).click();
  await bob.page.getByRole("button", { name: "Accept with video" }).waitFor();
  await expect.poll(() => hasGathered(ada.page)).toBe(true);
  await ada.page.getByText("Ringing…").waitFor();
  const before = [...ada.told, ...bob.told].join("\n");
  expect(before).toContain("a=fingerprint:");
  expect(before).not.toContain("candidate:");
  expect(before.match(/\b\d{1,3}(?:\.\d{1,3}){3}\b/g)?.filter((address) => !NOWHERE.has(address)) ?? []).toEqual([]);

  await bob.page.getByRole("button", { name: "Accept with video" }).click();
  await connects(ada.page, bob.page);
  expect(bob.told.join("\n")).toContain("candidate:");
});

test("[ICES-3] who wants relays alone is seen by the other side as a relay, and media flows", async () => {
  const { ada, bob, adasToken, bobsName } = await two();
  const headers = { authorization: `Bearer ${adasToken}` };
  const put = { method: "PUT", headers, body: JSON.stringify({ relayOnly: true }) };
  expect((await fetch(`${site.url}/api/settings`, put)).status).toBe(200);
  await ada.page.getByRole("button", { name: `Video call with ${bobsName}` }).click();
  await bob.page.getByRole("button", { name: "Accept with video" }).click();
  await connects(ada.page, bob.page);
  expect(await candidates(ada.page, "local")).toEqual(["relay"]);
  expect(await candidates(bob.page, "remote")).toEqual(["relay"]);
  expect(await candidates(bob.page, "local")).toContain("host");
});
