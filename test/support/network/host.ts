import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { launchBrowser } from "../browser.ts";
import { cable, Namespace, type Plug } from "./namespace.ts";

/** A place in a network. */
export interface Place {
  readonly plug: Plug;
  readonly address: string;
  readonly gateway: string;
}

/** The certificates of the edge and of the TURN server are nobody's whom a browser knows. */
const FLAGS = ["--ignore-certificate-errors"];

/** A machine in a home, and the browser that runs on it. */
export class Host {
  readonly #namespace: Namespace;
  readonly #folder = mkdtempSync(join(tmpdir(), "switchboard-host-"));
  #cables = 0;
  #browser: Browser | null = null;

  private constructor(namespace: Namespace) {
    this.#namespace = namespace;
  }

  static async build(role: string): Promise<Host> {
    return new Host(await Namespace.create(role));
  }

  /** As when somebody walks out of one Wi-Fi into another: the link goes down and its address with it, and another comes up. */
  async moveTo(home: { place(): Place }): Promise<void> {
    if (this.#cables > 0) await this.#leave(`eth${this.#cables - 1}`);
    const { plug, address, gateway } = home.place();
    await cable({ at: this.#namespace, name: `eth${this.#cables++}`, address }, plug);
    await this.#namespace.ip(`route add default via ${gateway}`);
  }

  /** A real Chromium of this machine. */
  async browser(): Promise<Browser> {
    this.#browser ??= await launchBrowser({ wrap: (executable) => this.#wrapped(executable), flags: FLAGS });
    return this.#browser;
  }

  async close(): Promise<void> {
    await this.#browser?.close();
    rmSync(this.#folder, { recursive: true });
  }

  async #leave(name: string): Promise<void> {
    await this.#namespace.ip(`link set ${name} down`);
    await this.#namespace.ip(`address flush dev ${name}`);
  }

  /** A program of the same arguments that runs in here. */
  #wrapped(executable: string): string {
    const path = join(this.#folder, "run");
    writeFileSync(path, `#!/bin/sh\nexec ip netns exec ${this.#namespace.name} ${executable} "$@"\n`);
    chmodSync(path, 0o755);
    return path;
  }
}
