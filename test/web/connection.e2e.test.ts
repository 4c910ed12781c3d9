import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { Cable, inspect, received } from "../support/browser.ts";
import { connected, Windows } from "../support/windows.ts";

const windows = new Windows("Reed");
const { newProfile, newWindow, openWindow, signIn, names, two } = windows;
beforeAll(() => windows.open());
afterEach(() => windows.closeProfiles());
afterAll(() => windows.close());

test("a callee who loses the server while it rings can answer when it is back", async () => {
  const { ada, bob, bobName, cable } = await twoWithCable();
  await ada.getByRole("button", { name: `Video call with ${bobName}` }).click();
  await bob.getByRole("dialog").waitFor();
  await cable.cut();
  await bob.getByText(/^Reconnecting\./).waitFor({ state: "attached" });
  cable.mend();
  await bob.getByText(/^Reconnecting\./).waitFor({ state: "detached" });
  await bob.getByRole("button", { name: "Accept with video" }).click();
  await connected(ada, bob);
});

test("[PRES-1] a window that has lost the server calls nobody online until it is back", async () => {
  const { bob, adaName, cable } = await twoWithCable();
  const ada = bob.getByRole("listitem").filter({ hasText: adaName });
  await ada.getByText("Online").waitFor();
  await cable.cut();
  await ada.getByText("Presence unknown").waitFor();
  await bob.getByText(/^Reconnecting\./).waitFor();
  expect(await bob.getByText(/\d online/).count()).toBe(0);
  await inspect(bob, "connection-lost");
  cable.mend();
  await ada.getByText("Online").waitFor();
});

test("a call goes on without the server, and a hang-up meanwhile is told when it is back", async () => {
  const { ada, bob, bobName, cable } = await twoWithCable();
  await startVideoCall(ada, bob, bobName);
  await cable.cut();
  const { framesDecoded } = await received(bob);
  await expect.poll(async () => (await received(bob)).framesDecoded).toBeGreaterThan(framesDecoded + 10);
  await bob.getByRole("button", { name: "Hang up" }).click();
  await bob.getByText(/^Reconnecting\./).waitFor();
  await inspect(bob, "reconnecting");
  cable.mend();
  await ada.getByText(/^Call ended after/).waitFor();
});

test("a path that is renewed carries the call on", async () => {
  const { ada, bob, bobName } = await two();
  await startVideoCall(ada, bob, bobName);
  const before = await credentials(ada);
  // Both at once: the offers collide, and the polite side gives way.
  await Promise.all([ada, bob].map((page) => page.evaluate(() => window.connections.at(-1)?.restartIce())));
  const same = async () => (await credentials(ada)).filter((name, side) => name === before[side]);
  await expect.poll(same).toEqual([]);
  const { framesDecoded } = await received(ada);
  await expect.poll(async () => (await received(ada)).framesDecoded).toBeGreaterThan(framesDecoded + 10);
  await connected(ada, bob);
});

test("a poor connection is hinted at, and the camera can be turned off to help", async () => {
  const { ada, bob, bobName } = await two();
  await startVideoCall(ada, bob, bobName);
  await ada.evaluate(() => {
    const pair = { id: "P", type: "candidate-pair", selected: true, currentRoundTripTime: 0.9 };
    RTCPeerConnection.prototype.getStats = async () => new Map([[pair.id, pair]]);
  });
  await ada.getByText("The connection is poor.").waitFor();
  await inspect(ada, "poor-connection");
  await ada.getByRole("button", { name: "Turn camera off" }).first().click();
  await bob.locator('.remote[data-video="false"]').waitFor();
  await ada.getByLabel("Your camera").waitFor({ state: "detached" });
});

/** Bob's connection to the server can be cut. */
async function twoWithCable() {
  const { ada: adaName, bob: bobName } = await names();
  const [ada, bob] = await Promise.all([
    newProfile().then((profile) => openWindow(profile, adaName)),
    newProfile().then(newWindow),
  ]);
  const cable = await Cable.of(bob);
  await signIn(bob, bobName);
  return { ada, bob, adaName, bobName, cable };
}

async function startVideoCall(caller: Page, callee: Page, calleeName: string): Promise<void> {
  await caller.getByRole("button", { name: `Video call with ${calleeName}` }).click();
  await callee.getByRole("button", { name: "Accept with video" }).click();
  await connected(caller, callee);
  for (const page of [caller, callee]) await page.locator('.remote[data-video="true"]').waitFor();
}

/** The ICE user names of both sides (RFC 8839, section 5.4): a restart changes both. */
async function credentials(page: Page): Promise<(string | undefined)[]> {
  return page.evaluate(() => {
    const connection = window.connections.at(-1);
    const both = [connection?.currentLocalDescription, connection?.currentRemoteDescription];
    return both.map((description) => description?.sdp.match(/a=ice-ufrag:(.*)/)?.[1]);
  });
}
