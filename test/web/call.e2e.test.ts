import type { Page, Route } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { HistoryResponse } from "../../schema/http.ts";
import { focused, inspect, received, tabTo } from "../support/browser.ts";
import { latestMedia } from "../support/latest-media.ts";
import { connected, recents, Windows } from "../support/windows.ts";

const windows = new Windows("Lane");
const { newProfile, openWindow, names, two, three } = windows;
beforeAll(() => windows.open());
afterEach(() => windows.closeProfiles());
afterAll(() => windows.close());

describe("a video call between two people with three windows", () => {
  test("[MEDIA-1] rings in every window of the callee, one answers, both see and hear, and the history knows", async () => {
    const { ada, laptop, tablet, adaName, bobName } = await three();

    await ada.getByRole("listitem").filter({ hasText: bobName }).getByText("Online").waitFor();
    await inspect(ada, "home");
    await ada.getByRole("button", { name: `Video call with ${bobName}` }).click();
    const ring = (page: Page) => page.getByRole("dialog", { name: `Video call from ${adaName}` });
    await Promise.all([ring(laptop).waitFor(), ring(tablet).waitFor()]);
    await ada.getByText("Ringing…").waitFor();
    await inspect(ada, "calling");
    await inspect(tablet, "ringing");

    await laptop.getByRole("button", { name: "Accept with video" }).click();
    await ring(tablet).waitFor({ state: "detached" });
    await tablet.getByText("Answered on another device").waitFor();
    await connected(ada, laptop);
    for (const page of [ada, laptop]) {
      const before = await received(page);
      await expect.poll(async () => (await received(page)).framesDecoded).toBeGreaterThan(before.framesDecoded + 10);
      expect((await received(page)).audioSeconds).toBeGreaterThan(before.audioSeconds);
    }
    await inspect(ada, "in-call");
    await inspect(tablet, "answered-elsewhere");

    await ada.getByRole("button", { name: "Devices" }).click();
    await ada.getByLabel("Camera", { exact: true }).waitFor();
    await inspect(ada, "devices");
    await ada.keyboard.press("Escape");

    await laptop.getByRole("button", { name: "Hang up" }).click();
    await ada.getByText(/^Call ended after \d+ s$/).waitFor();
    await recents(ada)
      .getByText(/^Video · Outgoing, \d+ s$/)
      .waitFor();
    for (const page of [laptop, tablet])
      await recents(page)
        .getByText(/^Video · Incoming, \d+ s$/)
        .waitFor();
    await inspect(ada, "after-call");
    for (const page of [ada, laptop]) {
      const [media, ...more] = await latestMedia(windows.url, page);
      expect(more).toEqual([]);
      // An end that a check has shown before its candidate came is reflexive to its peer (RFC 8445, section 7.3.1.3).
      const near = expect.stringMatching(/^(host|prflx)$/);
      expect(media).toMatchObject({ candidateType: near, remoteCandidateType: near, protocol: "udp" });
      const { alertingMs = -1, answeredMs = -1, iceConnectedMs = -1, firstFrameMs = -1 } = media?.setup ?? {};
      const inOrder = [0, alertingMs, answeredMs, iceConnectedMs, firstFrameMs];
      expect(inOrder).toEqual(inOrder.toSorted((a, b) => a - b));
    }
  });

  test("the camera goes off and on, the other side sees it, and the microphone is muted", async () => {
    const { ada, bob, bobName } = await two();
    await ada.getByRole("button", { name: `Video call with ${bobName}` }).click();
    await bob.getByRole("button", { name: "Accept with video" }).click();
    const hasPicture = (value: boolean) => ada.locator(`.remote[data-video="${value}"]`).waitFor();
    await hasPicture(true);

    await bob.getByRole("button", { name: "Turn camera off" }).click();
    await hasPicture(false);
    await bob.getByLabel("Your camera").waitFor({ state: "detached" });
    await inspect(ada, "camera-off");
    await bob.getByRole("button", { name: "Turn camera on" }).click();
    await hasPicture(true);

    await bob.getByRole("button", { name: "Mute" }).click();
    await bob.getByRole("button", { name: "Unmute" }).click();
    await bob.getByRole("button", { name: "Mute" }).waitFor();
    await ada.getByRole("button", { name: "Hang up" }).click();
    await bob.getByText(/^Call ended after/).waitFor();
  });

  test("a voice call becomes a video call when somebody turns the camera on", async () => {
    const { ada, bob, bobName } = await two();
    await ada.getByRole("button", { name: `Voice call with ${bobName}` }).click();
    await bob.getByRole("button", { name: "Accept", exact: true }).click();
    await connected(ada, bob);
    await bob.getByRole("button", { name: "Turn camera on" }).click();
    await ada.locator('.remote[data-video="true"]').waitFor();
    await ada.getByRole("button", { name: "Turn camera on" }).click();
    await bob.locator('.remote[data-video="true"]').waitFor();
    await bob.getByRole("button", { name: "Hang up" }).click();
    await ada.getByText(/^Call ended after/).waitFor();
  });
});

describe("while the history is behind", () => {
  test("the row of a call that has just ended says how long it was", async () => {
    const { ada, bob, bobName } = await two();
    for (const page of [ada, bob]) await page.route("**/api/calls?*", asLive);
    await ada.getByRole("button", { name: `Voice call with ${bobName}` }).click();
    await bob.getByRole("button", { name: "Accept", exact: true }).click();
    await connected(ada, bob);
    await ada.getByRole("button", { name: "Hang up" }).click();
    await Promise.all([
      recents(ada)
        .getByText(/^Voice · Outgoing, \d+ s$/)
        .waitFor(),
      recents(bob)
        .getByText(/^Voice · Incoming, \d+ s$/)
        .waitFor(),
    ]);
    await Promise.all([ada, bob].map((page) => page.unrouteAll({ behavior: "wait" })));
  });

  /** The ledger has not heard of the end. */
  async function asLive(route: Route): Promise<void> {
    const response = await route.fetch();
    const page = HistoryResponse.parse(await response.json());
    const calls = page.calls.map((call) => ({ ...call, outcome: null, endedAt: null, durationSeconds: null }));
    await route.fulfill({ response, json: { ...page, calls } });
  }
});

describe("calls that are not taken", () => {
  test("ignored in one window, declined in the other: the caller hears ringing until then", async () => {
    const { ada, laptop, tablet, bobName } = await three();
    await ada.getByRole("button", { name: `Voice call with ${bobName}` }).click();
    await laptop.getByRole("button", { name: "Ignore in this window" }).click();
    await laptop.getByRole("dialog").waitFor({ state: "detached" });
    await ada.getByText("Ringing…").waitFor();
    await tablet.getByRole("button", { name: "Decline" }).click();
    await ada.getByText(`${bobName} declined`).waitFor();
    await recents(tablet).getByText("Voice · You declined").waitFor();
  });

  test("cancelled by the caller: a badge counts it, and going back calls again", async () => {
    const { ada, bob, adaName, bobName } = await two();
    await ada.getByRole("button", { name: `Voice call with ${bobName}` }).click();
    await bob.getByRole("dialog").waitFor();
    await ada.getByRole("button", { name: "Cancel call" }).click();
    await bob.getByText(`Missed call from ${adaName}`).waitFor();
    await bob.getByRole("button", { name: "1 missed, mark as seen" }).waitFor();
    await inspect(bob, "missed");
    await bob.setViewportSize({ width: 390, height: 844 });
    await bob.getByRole("button", { name: "Recents 1 missed" }).click();
    await bob.getByRole("button", { name: "Recents", exact: true }).waitFor();
    await inspect(bob, "recents");
    await bob.getByRole("button", { name: `Call ${adaName} again by voice` }).click();
    await ada.getByRole("dialog", { name: `Voice call from ${bobName}` }).waitFor();
    await bob.getByRole("button", { name: "Cancel call" }).click();
    await ada.getByRole("dialog").waitFor({ state: "detached" });
  });

  test("a window that is closed during the call hangs up", async () => {
    const { ada, bob, bobName } = await two();
    await ada.getByRole("button", { name: `Voice call with ${bobName}` }).click();
    await bob.getByRole("button", { name: "Accept", exact: true }).click();
    await connected(ada, bob);
    await bob.close({ runBeforeUnload: false });
    await ada.getByText(/^Call ended after/).waitFor();
  });
});

describe("by keyboard alone", () => {
  test("from the name to the last word", async () => {
    const { ada: adaName, bob: bobName } = await names();
    const bob = await openWindow(await newProfile(), bobName);
    const ada = await windows.newWindow(await newProfile());
    await ada.goto(windows.url);
    await ada.getByLabel("Your name").waitFor();
    await inspect(ada, "sign-in");
    await ada.keyboard.type(adaName);
    await ada.keyboard.press("Enter");
    await ada.getByRole("button", { name: `Video call with ${bobName}` }).waitFor();

    await tabTo(ada, `Video call with ${bobName}`);
    await ada.keyboard.press("Enter");
    await bob.getByRole("dialog", { name: `Video call from ${adaName}` }).waitFor();
    expect(await focused(bob)).toBe("Accept with video");
    await bob.keyboard.press("Enter");
    await connected(ada, bob);

    expect(await focused(bob)).toBe("Mute");
    await bob.keyboard.press("Space");
    await bob.getByRole("button", { name: "Unmute" }).waitFor();
    await bob.keyboard.press("Escape");
    await tabTo(bob, "Devices");
    await bob.keyboard.press("Enter");
    await bob.getByRole("region", { name: "Devices" }).waitFor();
    await bob.keyboard.press("Escape");
    await bob.getByRole("region", { name: "Devices" }).waitFor({ state: "detached" });
    expect(await focused(bob)).toBe("Devices");
    await bob.keyboard.press("Tab");
    expect(await focused(bob)).toBe("Hang up");
    await bob.keyboard.press("Enter");
    await ada.getByText(/^Call ended after/).waitFor();
    expect(await focused(ada)).toBe(`Video call with ${bobName}`);
  });

  test("Escape silences this window only", async () => {
    const { ada, bob, bobName } = await two();
    await ada.getByRole("button", { name: `Voice call with ${bobName}` }).click();
    await bob.getByRole("dialog").waitFor();
    await bob.keyboard.press("Escape");
    await bob.getByRole("dialog").waitFor({ state: "detached" });
    await ada.getByText("Ringing…").waitFor();
    await ada.getByRole("button", { name: "Cancel call" }).click();
    await ada.getByText("Call cancelled").waitFor();
  });
});

describe("what browsers refuse", () => {
  test("without a camera the call goes on by voice, and says so", async () => {
    const { ada, bob, bobName } = await two();
    await refuse(ada, "video", "NotFoundError");
    await ada.getByRole("button", { name: `Video call with ${bobName}` }).click();
    await bob.getByRole("button", { name: "Accept with video" }).click();
    await connected(ada, bob);
    await ada.getByText(/could not find a free camera/).waitFor();
    await ada.locator('.remote[data-video="true"]').waitFor();
    await inspect(ada, "without-camera");
    await ada.getByRole("button", { name: "Hang up" }).click();
    await bob.getByText(/^Call ended after/).waitFor();
  });

  test("without a microphone an incoming call rings on and says why", async () => {
    const { ada, bob, bobName } = await two();
    await refuse(bob, "audio", "NotAllowedError");
    await ada.getByRole("button", { name: `Voice call with ${bobName}` }).click();
    await bob.getByRole("button", { name: "Accept", exact: true }).click();
    await bob
      .getByRole("alert")
      .getByText(/did not let us use the microphone/)
      .waitFor();
    await inspect(bob, "ringing-without-microphone");
    await bob.getByRole("button", { name: "Decline" }).click();
    await ada.getByText(`${bobName} declined`).waitFor();
  });

  /** As if there were no such device, or its use were denied. */
  async function refuse(page: Page, kind: "audio" | "video", name: string): Promise<void> {
    await page.evaluate(
      ({ kind, name }) => {
        const { mediaDevices } = navigator;
        const open = mediaDevices.getUserMedia.bind(mediaDevices);
        mediaDevices.getUserMedia = async (constraints) => {
          if (constraints?.[kind]) throw new DOMException("refused by the test", name);
          return open(constraints);
        };
      },
      { kind, name },
    );
  }
});

describe("windows of one browser", () => {
  test("a duplicated window is a device of its own, a reloaded one is the same", async () => {
    const { ada: adaName } = await names();
    const context = await newProfile();
    const first = await openWindow(context, adaName);
    const device = (page: Page) => page.evaluate(() => sessionStorage.getItem("switchboard.session"));
    const before = await device(first);
    await first.reload();
    await first.getByRole("heading", { name: "People" }).waitFor();
    expect(await device(first)).toBe(before);

    const duplicate = await windows.newWindow(context);
    await duplicate.addInitScript((stored) => sessionStorage.setItem("switchboard.session", stored ?? ""), before);
    await duplicate.goto(windows.url);
    await duplicate.getByRole("heading", { name: "People" }).waitFor();
    expect(await device(duplicate)).not.toBe(before);
  });

  test("a window becomes somebody else's, who was here before or is new", async () => {
    const { ada: adaName } = await names();
    const newcomer = adaName.replace("Ada", "Cyd");
    const page = await openWindow(await newProfile(), adaName);
    await page.getByRole("button", { name: "Switch user in this window" }).click();
    await page.getByLabel("Your name").fill(newcomer);
    const registered = windows.registered(page);
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByRole("listitem").filter({ hasText: adaName }).waitFor();
    await registered;
    await page.getByRole("button", { name: "Switch user in this window" }).click();
    await inspect(page, "sign-in-again");
    await page.getByRole("button", { name: adaName }).click();
    await page.getByRole("listitem").filter({ hasText: newcomer }).waitFor();
  });

  test("a name is needed", async () => {
    const page = await windows.newWindow(await newProfile());
    await page.goto(windows.url);
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByRole("alert").getByText("Type a name that others will know you by.").waitFor();
    await inspect(page, "sign-in-error");
  });
});
