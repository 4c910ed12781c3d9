import type { Browser, BrowserContext, Page } from "playwright-core";
import { type Account, remember } from "../accounts.ts";
import { received, recordConnections, shrinkCamera, watchErrors } from "../browser.ts";
import { longestGap, watchGap } from "../group.ts";
import { until } from "../until.ts";
import { ORIGIN } from "./internet.ts";

/** Somebody in a home, with the page open in a browser of that home. */
export class Resident {
  readonly account: Account;
  readonly page: Page;
  /** What went wrong in the page. */
  readonly errors: readonly string[];
  readonly #context: BrowserContext;

  private constructor(account: Account, context: BrowserContext, page: Page, errors: readonly string[]) {
    this.account = account;
    this.#context = context;
    this.page = page;
    this.errors = errors;
  }

  /** Back when they can call and be called. */
  static async open(browser: Browser, account: Account): Promise<Resident> {
    const context = await browser.newContext({ reducedMotion: "reduce" });
    await recordConnections(context);
    await shrinkCamera(context);
    await remember(context, account);
    const page = await context.newPage();
    const errors = watchErrors(page);
    const socket = page.waitForEvent("websocket");
    await page.goto(`${ORIGIN}/?${new URLSearchParams({ user: account.name })}`);
    await (await socket).waitForEvent("framereceived", ({ payload }) => String(payload).includes('"registered"'));
    return new Resident(account, context, page, errors);
  }

  async call({ account }: Resident): Promise<void> {
    await this.page.getByRole("button", { name: `Video call with ${account.name}` }).click();
  }

  async answer(): Promise<void> {
    await this.page.getByRole("button", { name: "Accept with video" }).click();
  }

  async hangUp(): Promise<void> {
    await this.page.getByRole("button", { name: "Hang up" }).click();
  }

  /** Sound and picture of the other one keep coming. */
  async seesAndHears(): Promise<void> {
    const before = await received(this.page);
    const since = async () => {
      const { framesDecoded, audioSeconds } = await received(this.page);
      return framesDecoded > before.framesDecoded + 3 && audioSeconds > before.audioSeconds;
    };
    await until(since, "sound and picture");
  }

  /** From now on notes each phase that the page shows, and for how long there is no new picture of the other one. */
  async watch({ account }: Resident): Promise<void> {
    await watchGap(this.page, account.name);
    await this.page.evaluate(() => {
      const phases: string[] = [];
      window.phases = phases;
      const connection = window.connections.at(-1);
      const configure = connection?.setConfiguration.bind(connection);
      const freshRelays: RTCIceServer[] = [];
      window.freshRelays = freshRelays;
      if (connection && configure)
        connection.setConfiguration = (configuration) => {
          freshRelays.push(...(configuration?.iceServers ?? []).filter(({ credential }) => credential));
          configure(configuration);
        };
      setInterval(() => {
        const phase = document.querySelector(".call-phase")?.textContent ?? "";
        if (phase !== phases.at(-1)) phases.push(phase);
      }, 10);
    });
  }

  async phases(): Promise<readonly string[]> {
    return this.page.evaluate(() => window.phases ?? []);
  }

  /** How many relays, with credentials, the connection has been given since. */
  async freshRelays(): Promise<number> {
    return this.page.evaluate(() => window.freshRelays?.length ?? 0);
  }

  /** The longest time in ms without a new picture; what comes after that is not looked at. */
  async gap(): Promise<number> {
    return longestGap(this.page);
  }

  async close(): Promise<void> {
    await this.#context.close();
  }
}

declare global {
  interface Window {
    phases?: readonly string[];
    freshRelays?: readonly RTCIceServer[];
  }
}
