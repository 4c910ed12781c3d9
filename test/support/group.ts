import type { Page } from "playwright-core";
import { expect } from "vitest";

/** What somebody does and sees in a group call of the page. */

export async function callGroup(page: Page, names: readonly string[]): Promise<void> {
  await page.getByRole("button", { name: "Group call" }).click();
  for (const name of names) await page.getByRole("checkbox", { name, exact: true }).check();
  await page.getByRole("button", { name: `Video call with ${names.length}` }).click();
}

export async function invite(page: Page, names: readonly string[]): Promise<void> {
  await page.getByRole("button", { name: "Add people" }).click();
  for (const name of names) await page.getByRole("checkbox", { name, exact: true }).check();
  await page.getByRole("button", { name: /^Call( these \d+)?$/ }).click();
}

export async function accept(...pages: Page[]): Promise<void> {
  await Promise.all(pages.map((page) => page.getByRole("button", { name: "Accept with video" }).click()));
}

/** Pictures keep coming in the video of this name. */
export async function sees(page: Page, video: string): Promise<void> {
  const before = await frames(page, video);
  await expect.poll(() => frames(page, video)).toBeGreaterThan(before + 3);
}

/** Pictures of each of them keep coming, and so does sound of so many. */
export async function seesAndHears(page: Page, names: readonly string[]): Promise<void> {
  for (const name of names) await sees(page, `Video of ${name}`);
  const soundBefore = await sounds(page);
  await expect
    .poll(async () => (await sounds(page)).filter((packets, i) => packets > (soundBefore[i] ?? 0)).length, {
      timeout: 20_000,
    })
    .toBe(names.length);
}

/** Pictures that it has shown so far. */
async function frames(page: Page, name: string): Promise<number> {
  const video = page.getByLabel(name, { exact: true });
  if ((await video.count()) !== 1) return 0;
  return video.evaluate((element: HTMLVideoElement) => element.getVideoPlaybackQuality().totalVideoFrames);
}

/** Packets of sound received so far, by the m-line of the newest connection. */
async function sounds(page: Page): Promise<number[]> {
  return page.evaluate(async () => {
    const packets: number[] = [];
    const stats = await window.connections.at(-1)?.getStats();
    stats?.forEach((report) => {
      if (report.type === "inbound-rtp" && report.kind === "audio") packets.push(report.packetsReceived ?? 0);
    });
    return packets;
  });
}

declare global {
  interface Window {
    gaps?: { frames: number; at: number; longest: number; isOver: boolean };
  }
}

/** From now on measures for how long no new picture of somebody is shown, whatever element shows it. */
export async function watchGap(page: Page, name: string): Promise<void> {
  await page.evaluate((label) => {
    const gap = { frames: -1, at: performance.now(), longest: 0, isOver: false };
    window.gaps = gap;
    const look = () => {
      if (gap.isOver) return;
      const video = document.querySelector<HTMLVideoElement>(`video[aria-label="Video of ${label}"]`);
      const frames = video?.getVideoPlaybackQuality().totalVideoFrames ?? gap.frames;
      const now = performance.now();
      gap.longest = Math.max(gap.longest, now - gap.at);
      if (frames !== gap.frames && frames > 0) {
        gap.frames = frames;
        gap.at = now;
      }
      setTimeout(look, 20);
    };
    look();
  }, name);
}

/** The longest so far, in ms. */
export async function longestGap(page: Page): Promise<number> {
  return page.evaluate(() => {
    if (window.gaps) window.gaps.isOver = true;
    return Math.round(window.gaps?.longest ?? Number.POSITIVE_INFINITY);
  });
}
