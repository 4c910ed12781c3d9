import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Account, introduce, remember } from "../support/accounts.ts";
import { launchBrowser, received, recordConnections, shrinkCamera } from "../support/browser.ts";
import { type Coturn, startCoturn } from "../support/coturn.ts";
import { SECRETS } from "../support/edge.ts";
import { Site } from "../support/site.ts";

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

/** The page, in a browser of its own, back when it can call and be called. */
async function open(account: Account): Promise<Page> {
  const context = await browser.newContext({ reducedMotion: "reduce", permissions: ["camera", "microphone"] });
  await recordConnections(context);
  await shrinkCamera(context);
  await remember(context, account);
  const page = await context.newPage();
  const socket = page.waitForEvent("websocket");
  await page.goto(`${site.url}/?${new URLSearchParams({ user: account.name })}`);
  await (await socket).waitForEvent("framereceived", ({ payload }) => String(payload).includes('"registered"'));
  return page;
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

test("[ICES-3] who wants relays alone is seen by the other side as a relay, and media flows", async () => {
  const [ada, bob] = await introduce(site.url, ["Ada", "Bob"]);
  if (!ada || !bob) throw new Error("somebody is missing");
  const headers = { authorization: `Bearer ${ada.token}` };
  const put = { method: "PUT", headers, body: JSON.stringify({ relayOnly: true }) };
  expect((await fetch(`${site.url}/api/settings`, put)).status).toBe(200);
  const [adas, bobs] = await Promise.all([open(ada), open(bob)]);
  await adas.getByRole("button", { name: "Video call with Bob" }).click();
  await bobs.getByRole("button", { name: "Accept with video" }).click();
  for (const page of [adas, bobs]) {
    await expect.poll(async () => (await received(page)).framesDecoded, { timeout: 20_000 }).toBeGreaterThan(3);
  }
  expect(await candidates(adas, "local")).toEqual(["relay"]);
  expect(await candidates(bobs, "remote")).toEqual(["relay"]);
  expect(await candidates(bobs, "local")).toContain("host");
});
