import type { Browser, BrowserContext, Page } from "playwright-core";
import { expect, inject } from "vitest";
import { type Account, introduce, remember } from "./accounts.ts";
import { type BrowserOptions, launchBrowser, recordConnections, shrinkCamera, watchErrors } from "./browser.ts";
import { Site } from "./site.ts";

/** Who plays in a test. */
const CAST = ["Ada", "Bob", "Eve"] as const;
type Names = { readonly [name in Lowercase<(typeof CAST)[number]>]: string };

/** Windows on the site of all tests, or on one of their own: each profile is one person's browser. */
export class Windows {
  readonly #family: string | undefined;
  #site: Site | undefined;
  #browser: Browser | undefined;
  #profiles: BrowserContext[] = [];
  #errors: string[][] = [];
  #round = 0;
  #next: Promise<Names> | undefined;
  readonly #accounts = new Map<string, Account>();

  /** @param family the name that the people of this test file have, and nobody else on the site; without it, there are none */
  constructor(family?: string) {
    this.#family = family;
  }

  /** The site of one's own. */
  get site(): Site {
    if (!this.#site) throw new Error("open the windows on a site of their own first");
    return this.#site;
  }

  get url(): string {
    return this.#site?.url ?? inject("siteUrl");
  }

  /**
   * @param vars of the edge, for a site of one's own
   */
  async open(vars?: Readonly<Record<string, string>>, browser?: BrowserOptions): Promise<void> {
    [this.#site, this.#browser] = await Promise.all([vars && Site.start(vars), launchBrowser(browser)]);
    if (this.#family !== undefined) this.#prepare();
  }

  async close(): Promise<void> {
    await this.#next?.catch(() => {});
    await this.#browser?.close();
    await this.#site?.close();
  }

  /** After each test: nothing may have gone wrong inside a page. */
  async closeProfiles(): Promise<void> {
    await Promise.all(this.#profiles.splice(0).map((profile) => profile.close()));
    expect(this.#errors.splice(0).flat()).toEqual([]);
  }

  /**
   * People of their own for each test: the site remembers everybody. All know each other, so that a window lists the
   * others as soon as it is there. The ledger takes a moment for that: each test has those of the next one made.
   */
  readonly names = async (): Promise<Names> => {
    const names = await this.#next;
    if (!names) throw new Error("there are no people without a family, and none before the windows are open");
    this.#prepare();
    return names;
  };

  /** One browser of one person; several windows of it share what the browser keeps. */
  readonly newProfile = async (): Promise<BrowserContext> => {
    if (!this.#browser) throw new Error("open the windows first");
    const profile = await this.#browser.newContext({ viewport: { width: 1024, height: 640 }, reducedMotion: "reduce" });
    this.#profiles.push(profile);
    await recordConnections(profile);
    await shrinkCamera(profile);
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

  /** Ada and Bob, each with one window on a browser of their own. */
  readonly two = async () => {
    const { ada: adaName, bob: bobName } = await this.names();
    const open = async (name: string) => this.openWindow(await this.newProfile(), name);
    const [ada, bob] = await Promise.all([open(adaName), open(bobName)]);
    return { ada, bob, adaName, bobName };
  };

  /** As `two`, with a second window on Bob's browser. */
  readonly three = async () => {
    const { ada: adaName, bob: bobName } = await this.names();
    const bobs = await this.newProfile();
    const [ada, laptop, tablet] = await Promise.all([
      this.newProfile().then((profile) => this.openWindow(profile, adaName)),
      this.openWindow(bobs, bobName),
      this.openWindow(bobs, bobName),
    ]);
    return { ada, laptop, tablet, adaName, bobName };
  };

  /** Ready as soon as the server can ring this window. */
  readonly signIn = async (page: Page, name: string): Promise<void> => {
    const account = this.#accounts.get(name);
    if (account) await remember(page, account);
    const registered = this.registered(page);
    await page.goto(`${this.url}/?${new URLSearchParams({ user: name })}`);
    await page.getByRole("heading", { name: "People" }).waitFor();
    await registered;
  };

  /** The server can ring this window, on the next socket that it opens. */
  async registered(page: Page): Promise<void> {
    const socket = await page.waitForEvent("websocket");
    await socket.waitForEvent("framereceived", ({ payload }) => String(payload).includes('"type":"registered"'));
  }

  #prepare(): void {
    this.#next = this.#introduce();
    // It fails where it is waited for.
    this.#next.catch(() => {});
  }

  async #introduce(): Promise<Names> {
    const round = ++this.#round;
    const accounts = await introduce(
      this.url,
      CAST.map((name) => `${name}${round} ${this.#family}`),
    );
    for (const account of accounts) this.#accounts.set(account.name, account);
    const [ada, bob, eve] = accounts;
    if (!ada || !bob || !eve) throw new Error("somebody is missing");
    return { ada: ada.name, bob: bob.name, eve: eve.name };
  }
}

/** The page says that media flows. */
export async function connected(...pages: Page[]): Promise<void> {
  await Promise.all(pages.map((page) => page.getByText("Connected", { exact: true }).waitFor()));
}

export function recents(page: Page) {
  return page.getByRole("region", { name: "Recents" });
}
