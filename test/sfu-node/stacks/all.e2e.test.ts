import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser } from "../../support/browser.ts";
import { FirefoxPage } from "../../support/stack-firefox.ts";
import { LibdatachannelStack } from "../../support/stack-libdatachannel.ts";
import { chromiumPage, PageStack } from "../../support/stack-page.ts";
import { WebrtcbinStack } from "../../support/stack-webrtcbin.ts";
import { WeriftStack } from "../../support/stack-werift.ts";
import { Company } from "./company.ts";

describe("Chromium, Firefox, GStreamer, libdatachannel and werift in one room", () => {
  let browser: Browser;
  let company: Company;
  let firefox: PageStack;
  let webrtcbin: WebrtcbinStack;

  beforeAll(async () => {
    [browser, company] = await Promise.all([launchBrowser(), Company.open()]);
  });
  afterAll(async () => {
    await company?.close();
    await browser?.close();
  });

  it("get sound and pictures of each other", async () => {
    await company.comeIn("chromium", await PageStack.open(await chromiumPage(browser)));
    webrtcbin = await company.comeIn("webrtcbin", new WebrtcbinStack());
    firefox = await company.comeIn("firefox", await PageStack.open(await FirefoxPage.open()));
    await company.comeIn("libdatachannel", new LibdatachannelStack("libdatachannel"));
    await company.comeIn("werift", new WeriftStack());
    await company.expectAllToGetAll();
    expect(webrtcbin.errors).toEqual([]);
  });

  it("also of somebody who comes as another leaves, into the same m-lines", async () => {
    await company.replace("libdatachannel", "successor", new LibdatachannelStack("successor"));
    await company.expectAllToGetAll();
  });

  it("also of somebody who comes into m-lines that were idle, but GStreamer, which has to join anew for that", async () => {
    await company.leaveForGood("successor");
    await company.comeIn("newcomer", new LibdatachannelStack("newcomer"));
    const refused = () => company.people.get("webrtcbin")?.refused;
    await expect.poll(refused).toEqual([expect.stringContaining("transceiver direction changes are not implemented")]);
    await company.leave("webrtcbin");
    await company.comeIn("webrtcbin", new WebrtcbinStack());
    await company.expectAllToGetAll();
  });

  it("also of a screen that addTrack of Firefox's puts on an m-line on which somebody else's camera came", async () => {
    await firefox.addScreen();
    await company.people.get("firefox")?.offer();
    await company.expectAllToGetAll({ firefox: ["camera", "microphone", "screen"] });
  });

  it("until Firefox stops its camera's m-line for good", async () => {
    await firefox.stopCamera();
    await company.people.get("firefox")?.offer();
    await company.expectAllToGetAll({ firefox: ["microphone", "screen"] });
  });
});
