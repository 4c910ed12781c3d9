import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { inspect } from "../support/browser.ts";
import { accept, callGroup, invite, longestGap, seesAndHears, watchGap } from "../support/group.ts";
import { connected, Windows } from "../support/windows.ts";

const windows = new Windows("Pair");
beforeAll(async () => {
  await windows.open({ ROOM_BACK_TO_PAIR_MS: "1000" });
  await windows.site.startNode();
});
afterEach(() => windows.closeProfiles());
afterAll(() => windows.close());

/** How many connections a window has, and to how many others the newest leads: a room's offer says that it is ICE-lite. */
async function connections(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    window.connections
      .filter(({ connectionState }) => connectionState !== "closed")
      .map(({ remoteDescription }) => (remoteDescription?.sdp.includes("a=ice-lite") ? "room" : "pair")),
  );
}

const are = (page: Page, expected: string[]) => expect.poll(() => connections(page)).toEqual(expected);

test("[ROOM-21] [ROOM-22] two who are left in a group call talk peer to peer without a gap of a second, and are in a room again with a third one", async () => {
  const names = await windows.names();
  const [ada, bob, eve] = await Promise.all(
    [names.ada, names.bob, names.eve].map(async (name) => windows.openWindow(await windows.newProfile(), name)),
  );
  if (!ada || !bob || !eve) throw new Error("somebody is missing");
  await callGroup(ada, [names.bob, names.eve]);
  await accept(bob, eve);
  await connected(ada, bob);
  await Promise.all([
    seesAndHears(ada, [names.bob, names.eve]),
    seesAndHears(bob, [names.ada, names.eve]),
    seesAndHears(eve, [names.ada, names.bob]),
  ]);
  await are(ada, ["room"]);
  await bob.getByRole("button", { name: "Mute" }).click();
  await ada.getByText(`Muted: ${names.bob}`).waitFor();

  await Promise.all([watchGap(ada, names.bob), watchGap(bob, names.ada)]);
  await eve.getByRole("button", { name: "Leave" }).click();
  await Promise.all([are(ada, ["pair"]), are(bob, ["pair"])]);
  await seesAndHears(ada, [names.bob]);
  await seesAndHears(bob, [names.ada]);
  expect(Math.max(...(await Promise.all([longestGap(ada), longestGap(bob)])))).toBeLessThan(1_000);
  await ada.getByText(`Muted: ${names.bob}`).waitFor();
  await bob.getByRole("button", { name: "Unmute" }).click();
  await ada.getByText(`Muted: ${names.bob}`).waitFor({ state: "detached" });
  await ada.getByRole("button", { name: "Turn camera off" }).click();
  await bob.getByLabel(`Video of ${names.ada}`, { exact: true }).waitFor({ state: "detached" });
  await ada.getByRole("button", { name: "Turn camera on" }).click();
  await seesAndHears(bob, [names.ada]);
  await inspect(ada, "group-back-to-pair");

  await Promise.all([watchGap(ada, names.bob), watchGap(bob, names.ada)]);
  await invite(ada, [names.eve]);
  await accept(eve);
  await Promise.all([are(ada, ["room"]), are(bob, ["room"]), are(eve, ["room"])]);
  await Promise.all([seesAndHears(ada, [names.bob, names.eve]), seesAndHears(eve, [names.ada, names.bob])]);
  expect(Math.max(...(await Promise.all([longestGap(ada), longestGap(bob)])))).toBeLessThan(1_000);

  await eve.getByRole("button", { name: "Leave" }).click();
  await are(ada, ["pair"]);
  await ada.getByRole("button", { name: "Share your screen" }).click();
  await bob.getByLabel(`Screen of ${names.ada}`).waitFor();
  await Promise.all([are(ada, ["room"]), are(bob, ["room"])]);
});
