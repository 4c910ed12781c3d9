import type { Browser, BrowserContext, Page } from "playwright-core";
import { expect } from "vitest";
import { launchBrowser, recordConnections, watchErrors } from "./browser.ts";
import { Site } from "./site.ts";

/** The site, and windows on it: each profile is one person's browser. */
export class Windows {
  #site: Site | undefined;
  #browser: Browser | undefined;
  #profiles: BrowserContext[] = [];
  #errors: string[][] = [];
  #round = 0;

  get url(): string {
    return this.#site?.url ?? "";
  }

  async open(vars?: Readonly<Record<string, string>>): Promise<void> {
    this.#site = await Site.start(vars);
    this.#browser = await launchBrowser();
  }

  async close(): Promise<void> {
    await this.#browser?.close();
    await this.#site?.close();
  }

  /** After each test: nothing may have gone wrong inside a page. */
  async closeProfiles(): Promise<void> {
    for (const profile of this.#profiles.splice(0)) await profile.close();
    expect(this.#errors.splice(0).flat()).toEqual([]);
  }

  /** Names of their own for each test: the site remembers everybody. */
  readonly names = (): { ada: string; bob: string } => {
    this.#round++;
    return { ada: `Ada${this.#round}`, bob: `Bob${this.#round}` };
  };

  /** One browser of one person; several windows of it share what the browser keeps. */
  readonly newProfile = async (): Promise<BrowserContext> => {
    if (!this.#browser) throw new Error("open the windows first");
    const viewport = { width: 1440, height: 900 };
    const profile = await this.#browser.newContext({ viewport, reducedMotion: "reduce" });
    this.#profiles.push(profile);
    await recordConnections(profile);
    return profile;
  };

  readonly newWindow = async (profile: BrowserContext): Promise<Page> => {
    const page = await profile.newPage();
    this.#errors.push(watchErrors(page));
    return page;
  };

  /** A window that is this person's, ready to call and to be called. */
  readonly openWindow = async (profile: BrowserContext, name: string): Promise<Page> => {
    const page = await this.newWindow(profile);
    await this.signIn(page, name);
    return page;
  };

  readonly signIn = async (page: Page, name: string): Promise<void> => {
    await page.goto(`${this.url}/?user=${name}`);
    await page.getByRole("heading", { name: "People" }).waitFor();
  };
}

/** The page says that media flows. */
export async function connected(...pages: Page[]): Promise<void> {
  await Promise.all(pages.map((page) => page.getByText("Connected", { exact: true }).waitFor()));
}

export function recents(page: Page) {
  return page.getByRole("region", { name: "Recents" });
}
