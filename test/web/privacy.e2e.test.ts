import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { inspect } from "../support/browser.ts";
import { recents, Windows } from "../support/windows.ts";

const windows = new Windows("Shaw");
const { two } = windows;
beforeAll(() => windows.open());
afterEach(() => windows.closeProfiles());
afterAll(() => windows.close());

async function choose(page: Page, menu: string, item: string): Promise<void> {
  await page.getByRole("button", { name: menu }).click();
  await page.getByRole("button", { name: item, exact: true }).click();
}

const dialog = (page: Page) => page.getByRole("dialog", { name: "Settings" });

describe("whom one lets through", () => {
  test("[SAFE-1] somebody who is blocked rings nothing, sees one offline, and is let in again", async () => {
    const { ada, bob, adaName, bobName } = await two();
    await bob.getByRole("button", { name: `More for ${adaName}` }).click();
    await inspect(bob, "person-menu");
    await bob.keyboard.press("Escape");
    await choose(bob, `More for ${adaName}`, "Block");
    await bob.getByRole("listitem").filter({ hasText: adaName }).getByText("Blocked").waitFor();
    await ada.getByRole("listitem").filter({ hasText: bobName }).getByText("Online").waitFor({ state: "detached" });
    await ada.getByRole("button", { name: `Voice call with ${bobName}` }).click();
    await ada.getByText("Reaching…").waitFor();
    expect(await bob.getByRole("dialog").count()).toBe(0);
    await ada.getByRole("button", { name: "Cancel call" }).click();

    await bob.getByRole("button", { name: "Settings" }).click();
    await dialog(bob).getByText(adaName).waitFor();
    await inspect(bob, "settings");
    await bob.getByRole("button", { name: `Unblock ${adaName}` }).click();
    await dialog(bob).getByText("Nobody. You can block people in their menu.").waitFor();
    await bob.keyboard.press("Escape");
    await ada.getByRole("button", { name: `Voice call with ${bobName}` }).click();
    await bob.getByRole("dialog", { name: `Voice call from ${adaName}` }).waitFor();
    await bob.getByRole("button", { name: "Decline" }).click();
    await ada.getByText(`${bobName} declined`).waitFor();
  });

  test("[SAFE-5] a window that is not to be disturbed stays silent, and the setting outlives a reload", async () => {
    const { ada, bob, adaName, bobName } = await two();
    await bob.getByRole("button", { name: "Settings" }).click();
    const quiet = bob.getByRole("switch", { name: "Do not disturb" });
    await quiet.click();
    await bob.reload();
    await bob.getByRole("button", { name: "Settings" }).click();
    await expect.poll(() => quiet.isChecked()).toBe(true);
    await ada.getByRole("button", { name: `Voice call with ${bobName}` }).click();
    await ada.getByText("Reaching…").waitFor();
    await quiet.click();
    await expect.poll(() => quiet.isChecked()).toBe(false);
    expect(await bob.getByRole("dialog", { name: `Voice call from ${adaName}` }).count()).toBe(0);
    await ada.getByRole("button", { name: "Cancel call" }).click();
  });

  test("[SET-1] who hides their address stays hidden after a reload, and until they say otherwise", async () => {
    const { bob } = await two();
    await bob.getByRole("button", { name: "Settings" }).click();
    const hidden = bob.getByRole("switch", { name: "Hide my address" });
    for (const isHidden of [true, false]) {
      const kept = bob.waitForResponse((answer) => answer.request().method() === "PUT");
      await hidden.click();
      await kept;
      await bob.reload();
      await bob.getByRole("button", { name: "Settings" }).click();
      await expect.poll(() => hidden.isEnabled()).toBe(true);
      expect(await hidden.isChecked()).toBe(isHidden);
    }
  });

  test("[SAFE-2] only those ring who are allowed to", async () => {
    const { ada, bob, adaName, bobName } = await two();
    await bob.getByRole("button", { name: "Settings" }).click();
    await bob.getByRole("radio", { name: /^Only people you allow/ }).click();
    await bob.keyboard.press("Escape");
    await ada.getByRole("button", { name: `Voice call with ${bobName}` }).click();
    await ada.getByText("Reaching…").waitFor();
    await ada.getByRole("button", { name: "Cancel call" }).click();
    await choose(bob, `More for ${adaName}`, "Allow to ring");
    await bob.getByText(`${adaName} may ring you`).waitFor();
    await ada.getByRole("button", { name: `Voice call with ${bobName}` }).click();
    await bob.getByRole("dialog", { name: `Voice call from ${adaName}` }).waitFor();
    await bob.getByRole("button", { name: "Decline" }).click();
  });
});

test("[HIST-5] a call is taken out of one's own Recents", async () => {
  const { ada, bob, adaName, bobName } = await two();
  await ada.getByRole("button", { name: `Voice call with ${bobName}` }).click();
  await bob.getByRole("button", { name: "Decline" }).click();
  const entry = (page: Page, name: string) => recents(page).getByRole("listitem").filter({ hasText: name });
  await Promise.all([entry(ada, bobName).waitFor(), entry(bob, adaName).waitFor()]);
  await choose(ada, `More for the call with ${bobName}`, "Remove from Recents");
  await entry(ada, bobName).waitFor({ state: "detached" });
  await ada.reload();
  await ada.getByText("No calls yet").waitFor();
  expect(await entry(bob, adaName).count()).toBe(1);
});
