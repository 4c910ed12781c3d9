import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser } from "../../support/browser.ts";
import { LibdatachannelStack } from "../../support/stack-libdatachannel.ts";
import { chromiumPage, PageStack } from "../../support/stack-page.ts";
import { WeriftStack } from "../../support/stack-werift.ts";
import { Company } from "./company.ts";

/** What Chromium does with its own m-lines; `all.e2e.test.ts` does it with Firefox. */
describe("Chromium, libdatachannel and werift in one room", () => {
  let browser: Browser;
  let company: Company;
  let chromium: PageStack;

  beforeAll(async () => {
    [browser, company] = await Promise.all([launchBrowser(), Company.open()]);
  });
  afterAll(async () => {
    await company?.close();
    await browser?.close();
  });

  it("get sound and pictures of each other", async () => {
    chromium = await company.comeIn("chromium", await PageStack.open(await chromiumPage(browser)));
    await company.comeIn("libdatachannel", new LibdatachannelStack("libdatachannel"));
    await company.comeIn("werift", new WeriftStack());
    await company.expectAllToGetAll();
  });

  it("also of those who come into the m-lines of others who have left", async () => {
    await company.leaveForGood("libdatachannel");
    await company.comeIn("newcomer", new LibdatachannelStack("newcomer"));
    await company.comeIn("second", new WeriftStack());
    await company.expectAllToGetAll();
  });

  it("also of a screen that addTrack puts on an m-line on which somebody else's camera came", async () => {
    expect(await chromium.addScreen()).toMatch(/^s/);
    await company.people.get("chromium")?.offer();
    await company.expectAllToGetAll({ chromium: ["camera", "microphone", "screen"] });
  });

  it("until somebody stops a camera's m-line for good, which nobody uses again", async () => {
    await chromium.stopCamera();
    await company.people.get("chromium")?.offer();
    await company.leaveForGood("second");
    await company.comeIn("third", new LibdatachannelStack("third"));
    await company.expectAllToGetAll({ chromium: ["microphone", "screen"] });
  });
});
