import type { Browser } from "playwright-core";
import * as z from "zod";
import type { Received, Stack } from "./stack-participant.ts";

/** A page of a browser: it runs functions that know nothing of this file. */
export interface Page {
  call(run: (argument: string) => Promise<string>, argument?: string): Promise<string>;
  close(): Promise<void>;
}

const Counts = z.record(z.string(), z.object({ packets: z.int(), frames: z.int() }));

/** A browser's `RTCPeerConnection` with a camera, in three layers, and a microphone. */
export class PageStack implements Stack {
  readonly #page: Page;

  private constructor(page: Page) {
    this.#page = page;
  }

  static async open(page: Page): Promise<PageStack> {
    await page.call(prepare);
    return new PageStack(page);
  }

  offer(): Promise<string> {
    return this.#page.call(offer);
  }

  async takeAnswer(sdp: string): Promise<void> {
    await this.#page.call(takeAnswer, sdp);
  }

  answer(sdp: string): Promise<string> {
    return this.#page.call(answer, sdp);
  }

  /**
   * Shows a screen too.
   * @returns the mid of the m-line that `addTrack` found for it; empty if that is yet to come
   */
  addScreen(): Promise<string> {
    return this.#page.call(addScreen);
  }

  /** Stops its camera's m-line for good. */
  async stopCamera(): Promise<void> {
    await this.#page.call(stopCamera);
  }

  async received(): Promise<ReadonlyMap<string, Received>> {
    return new Map(Object.entries(Counts.parse(JSON.parse(await this.#page.call(readStats)))));
  }

  close(): Promise<void> {
    return this.#page.close();
  }
}

/** A page of Chromium's. */
export async function chromiumPage(browser: Browser): Promise<Page> {
  const context = await browser.newContext({ permissions: ["camera", "microphone"] });
  const page = await context.newPage();
  // A secure context, which cameras need.
  await page.route("https://room.test/", (route) => route.fulfill({ contentType: "text/html", body: "" }));
  await page.goto("https://room.test/");
  return {
    call: (run, argument = "") => page.evaluate(run, argument),
    close: () => context.close(),
  };
}

declare global {
  interface Window {
    connection: RTCPeerConnection;
  }
}

/** These run in the page. */
async function prepare(): Promise<string> {
  const media = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 320, height: 240 } });
  const connection = new RTCPeerConnection();
  window.connection = connection;
  for (const track of media.getAudioTracks()) {
    connection.addTransceiver(track, { direction: "sendonly", streams: [media] });
  }
  for (const track of media.getVideoTracks()) {
    const sendEncodings = [4, 2, 1].map((scale, layer) => ({ rid: `r${layer}`, scaleResolutionDownBy: scale }));
    connection.addTransceiver(track, { direction: "sendonly", streams: [media], sendEncodings });
  }
  connection.addEventListener("track", ({ track }) => {
    const element = document.createElement(track.kind === "audio" ? "audio" : "video");
    element.srcObject = new MediaStream([track]);
    element.autoplay = true;
    element.muted = true;
    document.documentElement.append(element);
  });
  return "";
}

async function offer(): Promise<string> {
  await window.connection.setLocalDescription();
  return window.connection.localDescription?.sdp ?? "";
}

async function takeAnswer(sdp: string): Promise<string> {
  await window.connection.setRemoteDescription({ type: "answer", sdp });
  return "";
}

async function answer(sdp: string): Promise<string> {
  await window.connection.setRemoteDescription({ type: "offer", sdp });
  await window.connection.setLocalDescription();
  return window.connection.localDescription?.sdp ?? "";
}

async function addScreen(): Promise<string> {
  const canvas = document.createElement("canvas");
  const drawing = canvas.getContext("2d");
  setInterval(() => drawing?.fillRect(Math.random() * 100, 0, 10, 10), 100);
  const [track] = canvas.captureStream(10).getTracks();
  const sender = track && window.connection.addTrack(track);
  return window.connection.getTransceivers().find((one) => one.sender === sender)?.mid ?? "";
}

async function stopCamera(): Promise<string> {
  const camera = window.connection.getTransceivers().find(({ sender }) => sender.track?.kind === "video");
  camera?.stop();
  return "";
}

async function readStats(): Promise<string> {
  const found: Record<string, { packets: number; frames: number }> = {};
  for (const { mid, receiver } of window.connection.getTransceivers()) {
    const stats = await receiver.getStats();
    stats.forEach((report) => {
      if (report.type !== "inbound-rtp" || mid === null) return;
      found[mid] = { packets: report.packetsReceived ?? 0, frames: report.framesDecoded ?? 0 };
    });
  }
  return JSON.stringify(found);
}
