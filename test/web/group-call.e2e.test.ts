import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import * as z from "zod";
import { DevTokenResponse } from "../../schema/http.ts";
import type { Part } from "../../tools/setup/part.ts";
import { inspect } from "../support/browser.ts";
import { openCrowd } from "../support/crowd.ts";
import { accept, callGroup, invite, longestGap, sees, seesAndHears, watchGap } from "../support/group.ts";
import { ROOT } from "../support/project.ts";
import { connected, recents, Windows } from "../support/windows.ts";

const windows = new Windows("Group");
let node: Part;
beforeAll(async () => {
  await windows.open({});
  node = await windows.site.startNode();
});
afterEach(() => windows.closeProfiles());
afterAll(() => windows.close());

const open = async (name: string) => windows.openWindow(await windows.newProfile(), name);

/** A window each of two people who know each other. */
async function two() {
  const names = await windows.names();
  const [ada, bob] = await Promise.all([open(names.ada), open(names.bob)]);
  return { ada, bob, names };
}

/** And of a third one. */
async function three() {
  const { names, ...both } = await two();
  return { ...both, eve: await open(names.eve), names };
}

describe("a group call", () => {
  test("[GROUP-2] [GROUP-4] [GROUP-5] [ROOM-7] brings three together, one of them later, and goes on when one leaves, who may come back", async () => {
    const { ada, bob, eve, names } = await three();
    await callGroup(ada, [names.bob, names.eve]);
    await bob.getByRole("button", { name: "Accept with video" }).waitFor();
    await inspect(bob, "group-ringing");
    await accept(bob);
    await connected(ada, bob);
    await Promise.all([seesAndHears(ada, [names.bob]), seesAndHears(bob, [names.ada])]);
    await ada.getByText("Ringing…").waitFor();

    await accept(eve);
    await Promise.all([
      seesAndHears(ada, [names.bob, names.eve]),
      seesAndHears(bob, [names.ada, names.eve]),
      seesAndHears(eve, [names.ada, names.bob]),
    ]);

    await bob.getByRole("button", { name: "Mute" }).click();
    await bob.getByRole("button", { name: "Turn camera off" }).click();
    for (const page of [ada, eve]) {
      await page.getByText(`Muted: ${names.bob}`).waitFor();
      await page.getByLabel(`Video of ${names.bob}`).waitFor({ state: "detached" });
    }
    await bob.getByRole("button", { name: "Unmute" }).click();
    await bob.getByRole("button", { name: "Turn camera on" }).click();
    await seesAndHears(eve, [names.bob, names.ada]);

    await ada.getByRole("button", { name: "Share your screen" }).click();
    await Promise.all([bob, eve].map((page) => sees(page, `Screen of ${names.ada}`)));
    await inspect(bob, "group-screen");
    await ada.getByRole("button", { name: "Stop", exact: true }).click();
    await bob.getByLabel(`Screen of ${names.ada}`).waitFor({ state: "detached" });

    await bob.getByRole("button", { name: "Leave" }).click();
    await ada.getByText(`${names.bob} left`).waitFor();
    await Promise.all([seesAndHears(ada, [names.eve]), seesAndHears(eve, [names.ada])]);
    await recents(bob)
      .getByRole("button", { name: /^Join the call/ })
      .click();
    await Promise.all([seesAndHears(bob, [names.ada, names.eve]), seesAndHears(ada, [names.bob, names.eve])]);
    await bob.getByRole("button", { name: "Leave" }).click();
    await eve.getByRole("button", { name: "Leave" }).click();
    await ada.getByText(/^Call ended after/).waitFor();
  });
});

describe("a call between two", () => {
  test("[GROUP-3] [ROOM-17] takes a third one in, and its media moves into a room without a gap of a second", async () => {
    const { ada, bob, eve, names } = await three();
    await ada.getByRole("button", { name: `Video call with ${names.bob}` }).click();
    await accept(bob);
    await connected(ada, bob);
    await ada.locator('.remote[data-video="true"]').waitFor();
    await ada.getByRole("button", { name: "Add people" }).click();
    await inspect(ada, "group-adding");
    await ada.getByRole("button", { name: "Close adding people" }).click();
    await Promise.all([watchGap(ada, names.bob), watchGap(bob, names.ada)]);
    await invite(ada, [names.eve]);
    await accept(eve);
    await Promise.all([
      seesAndHears(ada, [names.bob, names.eve]),
      seesAndHears(bob, [names.ada, names.eve]),
      seesAndHears(eve, [names.ada, names.bob]),
    ]);
    await ada.waitForFunction(() => window.connections[0]?.connectionState === "closed");
    await seesAndHears(ada, [names.bob, names.eve]);
    const gaps = await Promise.all([longestGap(ada), longestGap(bob)]);
    expect(Math.max(...gaps)).toBeLessThan(1_000);
  });
});

describe("a room whose media node", () => {
  test("[ROOM-13] [ROOM-16] stops goes on at another one without a gap of a second, after a death within five, and mutes stay", async () => {
    const { ada, bob, names } = await two();
    await callGroup(ada, [names.bob]);
    await accept(bob);
    const bothSeeEachOther = () => Promise.all([seesAndHears(ada, [names.bob]), seesAndHears(bob, [names.ada])]);
    await bothSeeEachOther();
    await bob.getByRole("button", { name: "Mute" }).click();
    await ada.getByText(`Muted: ${names.bob}`).waitFor();

    const next = await windows.site.startNode();
    await Promise.all([watchGap(ada, names.bob), watchGap(bob, names.ada)]);
    await node.stop();
    await seesAndHears(bob, [names.ada]);
    expect(Math.max(...(await Promise.all([longestGap(ada), longestGap(bob)])))).toBeLessThan(1_000);
    await ada.getByText(`Muted: ${names.bob}`).waitFor();
    await bob.getByRole("button", { name: "Unmute" }).click();
    await bothSeeEachOther();

    node = await windows.site.startNode();
    await Promise.all([watchGap(ada, names.bob), watchGap(bob, names.ada)]);
    await next.kill();
    await bothSeeEachOther();
    expect(Math.max(...(await Promise.all([longestGap(ada), longestGap(bob)])))).toBeLessThan(5_000);
  });
});

describe("a group call on hold", () => {
  test("[ROOM-13] is in the next room when its media node dies, and sends and receives there once it is resumed", async () => {
    const { ada, bob, eve, names } = await three();
    await callGroup(ada, [names.bob]);
    await accept(bob);
    await Promise.all([seesAndHears(ada, [names.bob]), seesAndHears(bob, [names.ada])]);
    await eve.getByRole("button", { name: `Video call with ${names.bob}` }).click();
    await bob.getByRole("button", { name: "Hold & accept" }).click();
    await connected(eve, bob);
    const next = await windows.site.startNode();
    await node.kill();
    node = next;
    await bob.waitForFunction(
      () => window.connections.length > 2 && window.connections.at(-1)?.connectionState === "connected",
    );
    await eve.getByRole("button", { name: "Hang up" }).click();
    await bob.getByRole("button", { name: "Resume" }).click();
    await Promise.all([seesAndHears(ada, [names.bob]), seesAndHears(bob, [names.ada])]);
  });
});

describe("a client without the SDK", () => {
  test("joins with what client/examples shows", async () => {
    const { ada, bob, names } = await two();
    const bare = await windows.newWindow(await windows.newProfile());
    const html = await readFile(join(ROOT, "client/examples/bare-room.html"));
    const server = createServer((_request, response) => response.setHeader("content-type", "text/html").end(html));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const answer = await fetch(`${windows.url}/api/dev/token`, {
      method: "POST",
      body: JSON.stringify({ name: "Zoe" }),
    });
    const { token } = DevTokenResponse.parse(await answer.json());
    const address = z.object({ port: z.number() }).parse(server.address());
    const query = new URLSearchParams({ server: windows.url, token });
    await bare.goto(`http://127.0.0.1:${address.port}/?${query}`);
    await bare.getByText("Ready: call me into a group.").waitFor();
    await callGroup(ada, [names.bob, "Zoe"]);
    await accept(bob);
    await bare.getByText("In the call").waitFor();
    await Promise.all([seesAndHears(ada, [names.bob, "Zoe"]), seesAndHears(bob, [names.ada, "Zoe"])]);
    const pictures = () =>
      bare
        .locator("video")
        .evaluateAll((videos: HTMLVideoElement[]) => videos.filter(({ videoWidth }) => videoWidth > 0).length);
    await expect.poll(pictures).toBe(2);
    for (const page of [ada, bob]) await page.getByRole("button", { name: "Leave" }).click();
    await bare.getByText("The call is over.").waitFor();
  });
});

describe("many tiles", () => {
  test("share the screen as they come: 2, 5, 9 and 16", async () => {
    const { ada: name } = await windows.names();
    const crowd = Array.from({ length: 15 }, (_, i) => `Guest ${String.fromCharCode(65 + i)}`);
    crowd[1] = "Guest Brunhilde von Hohenstein-Oberpfalz";
    await openCrowd(await windows.newWindow(await windows.newProfile()), windows.url, crowd);
    const page = await windows.openWindow(await windows.newProfile(), name);
    await page.getByRole("button", { name: `Video call with ${crowd[14]}` }).waitFor({ timeout: 20_000 });
    await page.getByRole("button", { name: "Group call" }).click();
    await inspect(page, "group-choosing");
    await page.getByRole("button", { name: "Close" }).click();
    await callGroup(page, crowd.slice(0, 1));
    const shown = async (count: number) => {
      const others = page.locator('video[aria-label^="Video of"]');
      await expect.poll(() => others.count()).toBe(count - 1);
      await inspect(page, `group-${count}`);
    };
    await shown(2);
    await invite(page, crowd.slice(1, 4));
    await shown(5);
    await invite(page, crowd.slice(4, 8));
    await shown(9);
    await invite(page, crowd.slice(8, 15));
    await shown(16);
    await page.getByRole("button", { name: "Show the speaker large" }).click();
    await inspect(page, "group-speaker");
  });
});
