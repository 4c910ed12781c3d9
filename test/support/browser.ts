import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import axe from "axe-core";
import { type Browser, type BrowserContext, chromium, type Page, type WebSocketRoute } from "playwright-core";
import { expect } from "vitest";
import { ROOT } from "./project.ts";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--use-fake-device-for-media-stream=fps=10",
  "--use-fake-ui-for-media-stream",
];

/** The browser without its own windows: they cost more than most pages. */
const SHELL = "/usr/lib/chromium/chromium-headless-shell";
const WHOLE = ["/usr/bin/chromium", "/usr/bin/chromium-browser"];
const SCREENSHOTS = join(ROOT, "test/screenshots");
const SIZES = { 390: { width: 390, height: 844 }, 1440: { width: 1440, height: 900 } };

export interface BrowserOptions {
  /** With what the shell lacks: notifications and what is pushed. */
  readonly isWhole?: boolean;
  /** @returns what is run in place of the browser's program, with its arguments */
  readonly wrap?: (executable: string) => string;
  readonly flags?: readonly string[];
}

/** A real Chromium with a fake camera and microphone. */
export async function launchBrowser({
  isWhole = false,
  wrap = (path) => path,
  flags = [],
}: BrowserOptions = {}): Promise<Browser> {
  const executables = isWhole ? WHOLE : [SHELL];
  const executable = executables.find((path) => existsSync(path));
  if (!executable) throw new Error(`no Chromium at ${executables.join(" or ")}`);
  return chromium.launch({ executablePath: wrap(executable), args: [...FLAGS, ...flags] });
}

/** What went wrong inside a page: nothing may. */
export function watchErrors(page: Page): string[] {
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  return errors;
}

/** Before a page is opened: keeps its connections where their statistics can be read. */
export async function recordConnections(context: BrowserContext): Promise<void> {
  await context.addInitScript(() => {
    const connections: RTCPeerConnection[] = [];
    const Recorded = class extends RTCPeerConnection {
      constructor(configuration?: RTCConfiguration) {
        super(configuration);
        connections.push(this);
      }
    };
    Object.assign(window, { RTCPeerConnection: Recorded, connections });
  });
}

/** Before a page is opened: pictures of a twelfth of the size show as much, and two cores encode them in their sleep. */
export async function shrinkCamera(context: BrowserContext): Promise<void> {
  await context.addInitScript(() => {
    const { mediaDevices } = navigator;
    // Not there without a secure context, such as on a blank page.
    if (!mediaDevices) return;
    const open = mediaDevices.getUserMedia.bind(mediaDevices);
    const size = { width: 320, height: 180 };
    mediaDevices.getUserMedia = (constraints) =>
      open(constraints?.video ? { ...constraints, video: { ...Object(constraints.video), ...size } } : constraints);
  });
}

/** The name of what the keyboard acts on. */
export async function focused(page: Page): Promise<string | null> {
  return page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? null);
}

/** By the Tab key alone. */
export async function tabTo(page: Page, name: string): Promise<void> {
  for (let i = 0; i < 40 && (await focused(page)) !== name; i++) await page.keyboard.press("Tab");
  expect(await focused(page)).toBe(name);
}

export interface Received {
  /** Pictures of the other side that were decoded. */
  readonly framesDecoded: number;
  /** Seconds of sound that were played out. */
  readonly audioSeconds: number;
}

/** What this page has received in its latest call so far, by `getStats`. */
export async function received(page: Page): Promise<Received> {
  return page.evaluate(async () => {
    const stats = await window.connections.at(-1)?.getStats();
    const sum = { framesDecoded: 0, audioSeconds: 0 };
    stats?.forEach((report) => {
      if (report.type !== "inbound-rtp") return;
      sum.framesDecoded += report.framesDecoded ?? 0;
      sum.audioSeconds += report.totalSamplesDuration ?? 0;
    });
    return sum;
  });
}

/**
 * Looks at a screen narrow and wide, by day and by night: keeps a picture of each, finds no
 * accessibility violation in any, and nothing that sticks out at the side.
 */
export async function inspect(page: Page, screen: string): Promise<void> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  // A window behind another is not painted.
  await page.bringToFront();
  const before = page.viewportSize();
  await page.evaluate(axe.source);
  for (const [width, size] of Object.entries(SIZES)) {
    await page.setViewportSize(size);
    for (const colorScheme of ["light", "dark"] as const) {
      // Moving and fading things would be judged half way.
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await settled(page);
      expect(await overflow(page), `${screen} at ${width}: pixels beyond the right edge`).toBe(0);
      expect(await violations(page), `${screen} at ${width}, ${colorScheme}`).toEqual([]);
      await page.screenshot({ path: join(SCREENSHOTS, `${screen}-${width}-${colorScheme}.png`) });
    }
  }
  if (before) await page.setViewportSize(before);
}

/** The page has been laid out and painted in its new size. */
async function settled(page: Page): Promise<void> {
  await page.evaluate(async () => {
    for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame);
    await Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => {})));
  });
}

async function overflow(page: Page): Promise<number> {
  return page.evaluate(() => {
    const scrolling = Math.max(0, document.documentElement.scrollWidth - innerWidth);
    const visible = [...document.querySelectorAll("button, h1, h2, p, li, input, select, dialog")];
    const beyond = visible
      .filter((element) => element.checkVisibility())
      .map((element) => {
        const { left, right, width } = element.getBoundingClientRect();
        return width <= 1 ? 0 : Math.max(right - innerWidth, -left);
      });
    return Math.round(Math.max(scrolling, 0, ...beyond));
  });
}

/** What is right needs no description. */
async function violations(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const { violations } = await window.axe.run({ resultTypes: ["violations"] });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" | ")}`);
  });
}

/** A window in which the connection to the server can be cut and mended. */
export class Cable {
  #isCut = false;
  readonly #sockets = new Set<WebSocketRoute>();

  static async of(page: Page): Promise<Cable> {
    const cable = new Cable();
    await page.routeWebSocket(/\/ws$/, (socket) => cable.#route(socket));
    return cable;
  }

  async cut(): Promise<void> {
    this.#isCut = true;
    for (const socket of this.#sockets) await socket.close({ code: 1001 });
    this.#sockets.clear();
  }

  mend(): void {
    this.#isCut = false;
  }

  #route(socket: WebSocketRoute): void {
    if (this.#isCut) {
      void socket.close({ code: 1001 });
      return;
    }
    socket.connectToServer();
    this.#sockets.add(socket);
  }
}

declare global {
  interface Window {
    readonly axe: typeof axe;
    readonly connections: readonly RTCPeerConnection[];
  }
}
