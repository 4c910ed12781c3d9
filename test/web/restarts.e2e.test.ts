import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { connected, Windows } from "../support/windows.ts";

const windows = new Windows("Mover");
beforeAll(() => windows.open());
afterEach(() => windows.closeProfiles());
afterAll(() => windows.close());

declare global {
  interface Window {
    restarts?: number;
    /** How often the page has shown that the path is gone. */
    recoveries?: number;
  }
}

/** From now on counts the ICE restarts of the call, and how often they are seen: for moments, which polling may miss. */
async function countRestarts(page: Page): Promise<void> {
  await page.evaluate(() => {
    const isSeen = () => document.body.textContent.includes("Reconnecting…");
    let wasSeen = isSeen();
    window.recoveries = 0;
    new MutationObserver(() => {
      if (isSeen() && !wasSeen) window.recoveries = (window.recoveries ?? 0) + 1;
      wasSeen = isSeen();
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
    const connection = window.connections.at(-1);
    if (!connection) throw new Error("there is no connection");
    const restart = connection.restartIce.bind(connection);
    window.restarts = 0;
    connection.restartIce = () => {
      window.restarts = (window.restarts ?? 0) + 1;
      restart();
    };
  });
}

test("[RES-5] a device that comes to another network again and again restarts ICE five times a minute, and talks on", async () => {
  const { ada, bob, bobName } = await windows.two();
  await ada.getByRole("button", { name: `Video call with ${bobName}` }).click();
  await bob.getByRole("button", { name: "Accept with video" }).click();
  await connected(ada, bob);
  await countRestarts(ada);
  for (let i = 0; i < 7; i++) {
    await ada.evaluate(() => dispatchEvent(new Event("online")));
    await ada.waitForFunction((count) => (window.recoveries ?? 0) > count, i);
    await connected(ada, bob);
  }
  expect(await ada.evaluate(() => window.restarts)).toBe(5);
});
