import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { focused, inspect, received, tabTo } from "../support/browser.ts";
import { connected, recents, Windows } from "../support/windows.ts";

const windows = new Windows("Hale");
const { newProfile, newWindow, openWindow, signIn, names, three } = windows;
beforeAll(() => windows.open());
afterEach(() => windows.closeProfiles());
afterAll(() => windows.close());

/** Pictures keep coming on the newest connection of this window. */
async function sees(page: Page): Promise<void> {
  const { framesDecoded } = await received(page);
  await expect.poll(async () => (await received(page)).framesDecoded).toBeGreaterThan(framesDecoded + 10);
}

async function startVideoCall(caller: Page, callee: Page, calleeName: string): Promise<void> {
  await caller.getByRole("button", { name: `Video call with ${calleeName}` }).click();
  await callee.getByRole("button", { name: "Accept with video" }).click();
  await connected(caller, callee);
}

const isOver = (page: Page) => page.getByText(/^Call ended after/).waitFor();

describe("a user with two windows", () => {
  test("[HAND-2] [HAND-3] moves a call to the other one, and back; pictures flow on", async () => {
    const { ada, laptop, tablet, adaName, bobName } = await three();
    await startVideoCall(ada, laptop, bobName);
    const moveHere = (page: Page) => page.getByRole("button", { name: "Move here" });
    await moveHere(tablet).waitFor();
    await tablet.getByText(`In a call on another device, with ${adaName}`).waitFor();
    await inspect(tablet, "elsewhere");
    await moveHere(tablet).click();
    await connected(tablet, ada);
    await laptop.getByText("Moved to another device").waitFor();
    await tablet.locator('.remote[data-video="true"]').waitFor();
    await ada.locator('.remote[data-video="true"]').waitFor();
    await Promise.all([sees(ada), sees(tablet)]);
    await inspect(tablet, "moved-here");

    await moveHere(laptop).click();
    await connected(laptop, ada);
    await tablet.getByText("Moved to another device").waitFor();
    await Promise.all([sees(ada), sees(laptop)]);
    await laptop.getByRole("button", { name: "Turn camera off" }).click();
    await ada.locator('.remote[data-video="false"]').waitFor();
    await ada.getByRole("button", { name: "Hang up" }).click();
    await isOver(laptop);
    await moveHere(tablet).waitFor({ state: "detached" });
  });

  test("[HAND-7] asks another one to take the call over, by keyboard; it stays until that one does", async () => {
    const { ada, laptop, tablet, adaName, bobName } = await three();
    await startVideoCall(ada, laptop, bobName);
    await tabTo(laptop, "Move to another device");
    await laptop.keyboard.press("Enter");
    const panel = laptop.getByRole("region", { name: "Move to another device" });
    const target = panel.getByRole("button", { name: /^Chrome on Linux$/ });
    await target.waitFor();
    await laptop.keyboard.press("Tab");
    await laptop.keyboard.press("Tab");
    await expect.poll(() => target.evaluate((button) => button === document.activeElement)).toBe(true);
    await laptop.keyboard.press("Enter");
    await panel.getByText(/^Chrome on Linux was asked/).waitFor();
    await inspect(laptop, "move");
    await tablet.getByText(`Another device asks this one to take over the call with ${adaName}`).waitFor();
    await sees(laptop);
    await laptop.keyboard.press("Escape");
    await panel.waitFor({ state: "detached" });
    expect(await focused(laptop)).toBe("Move to another device");

    await tablet.getByRole("button", { name: "Move here" }).click();
    await laptop.getByText("Moved to another device").waitFor();
    await connected(tablet, ada);
    await Promise.all([sees(ada), sees(tablet)]);
    await ada.getByRole("button", { name: "Hang up" }).click();
    await isOver(tablet);
  });

  test("[HAND-5] the call ends while the other window could take it: there is nothing left to move", async () => {
    const { ada, laptop, tablet, bobName } = await three();
    await startVideoCall(ada, laptop, bobName);
    const moveHere = tablet.getByRole("button", { name: "Move here" });
    await moveHere.waitFor();
    await ada.getByRole("button", { name: "Hang up" }).click();
    await isOver(laptop);
    await moveHere.waitFor({ state: "detached" });
  });
});

/** The ring is late: its user calls before it shows. */
async function hearNoRing(page: Page): Promise<void> {
  await page.routeWebSocket(/\/ws$/, (socket) => {
    const server = socket.connectToServer();
    server.onMessage((frame) => {
      if (!String(frame).includes('"type":"incoming_call"')) socket.send(frame);
    });
  });
}

describe("two who call each other at once", () => {
  test("[GLARE-2] are connected without a tap, and see each other", async () => {
    const { ada: adaName, bob: bobName } = await names();
    const [ada, bob] = await Promise.all([newProfile().then(newWindow), newProfile().then(newWindow)]);
    for (const page of [ada, bob]) await hearNoRing(page);
    await Promise.all([signIn(ada, adaName), signIn(bob, bobName)]);
    await Promise.all([
      ada.getByRole("button", { name: `Video call with ${bobName}` }).click(),
      bob.getByRole("button", { name: `Video call with ${adaName}` }).click(),
    ]);
    await connected(ada, bob);
    await Promise.all([ada, bob].map((page) => page.locator('.remote[data-video="true"]').waitFor()));
    await Promise.all([sees(ada), sees(bob)]);
    await ada.getByRole("button", { name: "Hang up" }).click();
    await isOver(bob);
    await expect.poll(() => recents(ada).getByRole("listitem").count()).toBe(1);
  });
});

describe("two who call each other at once, one with the camera and one without", () => {
  const hasCamera = (page: Page, isOn: boolean) =>
    page.getByRole("button", { name: isOn ? "Turn camera off" : "Turn camera on" }).waitFor();
  const hasPicture = (page: Page, isOn: boolean) => page.locator(`.remote[data-video="${isOn}"]`).waitFor();

  test.each([
    ["Voice", "Video"],
    ["Video", "Voice"],
  ])("[GLARE-2] %s against %s is a voice call until its users turn their cameras on", async (first, second) => {
    const { ada: adaName, bob: bobName } = await names();
    const [ada, bob] = await Promise.all([
      newProfile().then((profile) => openWindow(profile, adaName)),
      newProfile().then(newWindow),
    ]);
    await hearNoRing(bob);
    await signIn(bob, bobName);
    await ada.getByRole("button", { name: `${first} call with ${bobName}` }).click();
    await ada.getByText("Reaching…").waitFor();
    await bob.getByRole("button", { name: `${second} call with ${adaName}` }).click();
    await connected(ada, bob);
    for (const page of [ada, bob]) await Promise.all([hasCamera(page, false), hasPicture(page, false)]);
    for (const [page, other] of [
      [ada, bob],
      [bob, ada],
    ] as const) {
      await page.getByRole("button", { name: "Turn camera on" }).click();
      await hasPicture(other, true);
      await sees(other);
    }
    await ada.getByRole("button", { name: "Hang up" }).click();
    await isOver(bob);
  });
});

describe("a second call", () => {
  async function callDuringCall() {
    const { ada: adaName, bob: bobName, eve: eveName } = await names();
    const open = async (name: string) => openWindow(await newProfile(), name);
    const [ada, bob, eve] = await Promise.all([open(adaName), open(bobName), open(eveName)]);
    await startVideoCall(ada, bob, bobName);
    await eve.getByRole("button", { name: `Video call with ${bobName}` }).click();
    await bob.getByRole("region", { name: `${eveName} is calling` }).waitFor();
    await eve.getByText("Ringing…").waitFor();
    return { ada, bob, eve, adaName, bobName, eveName };
  }

  test("[WAIT-1] [WAIT-2] is taken while the first one is held; both know, and one goes back and forth", async () => {
    const { ada, bob, eve, adaName, bobName, eveName } = await callDuringCall();
    await inspect(bob, "waiting");
    await bob.getByRole("button", { name: "Hold & accept" }).click();
    await connected(eve, bob);
    await ada.getByText(`${bobName} has put you on hold`).waitFor();
    await bob.getByText(`${adaName} is on hold`).waitFor();
    await sees(eve);
    await inspect(bob, "holding");
    await inspect(ada, "held");

    await bob.getByRole("button", { name: `Switch to ${adaName}` }).click();
    await connected(ada, bob);
    await eve.getByText(`${bobName} has put you on hold`).waitFor();
    await ada.locator('.remote[data-video="true"]').waitFor();
    await ada.getByRole("button", { name: "Hang up" }).click();
    await bob.getByText("On hold", { exact: true }).waitFor();
    await expect.poll(() => focused(bob)).toBe("Resume");
    await bob.keyboard.press("Enter");
    await connected(eve, bob);
    await eve.locator('.remote[data-video="true"]').waitFor();
    await bob.getByRole("button", { name: "Hang up" }).click();
    await eve.getByText(/^Call ended after/).waitFor();
    await bob.getByRole("heading", { name: "People" }).waitFor();
    expect(eveName).not.toBe(adaName);
  });

  test("[WAIT-2] is hung up by its user: the first one goes on by itself", async () => {
    const { ada, bob, eve, bobName } = await callDuringCall();
    await bob.getByRole("button", { name: "Hold & accept" }).click();
    await connected(eve, bob);
    await ada.getByText(`${bobName} has put you on hold`).waitFor();
    await bob.getByRole("button", { name: "Hang up", exact: true }).click();
    await isOver(eve);
    await connected(ada, bob);
    await sees(ada);
    await bob.getByRole("button", { name: "Hang up" }).click();
    await isOver(ada);
  });

  test("[WAIT-1] ends the first one when that is asked for, or is declined", async () => {
    const { ada, bob, eve, bobName, eveName } = await callDuringCall();
    await bob.getByRole("button", { name: "Decline" }).click();
    await eve.getByText(`${bobName} declined`).waitFor();
    await bob.getByRole("region", { name: `${eveName} is calling` }).waitFor({ state: "detached" });
    await connected(ada, bob);
    await eve.getByRole("button", { name: `Voice call with ${bobName}` }).click();
    await bob.getByRole("button", { name: "End & accept" }).click();
    await ada.getByText(/^Call ended after/).waitFor();
    await connected(eve, bob);
    await bob.getByRole("button", { name: "Hang up" }).click();
    await isOver(eve);
  });
});
