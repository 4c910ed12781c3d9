import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { WebSocket } from "ws";
import * as z from "zod";
import type { Page } from "./stack-page.ts";

export const FIREFOX = "/usr/bin/firefox-esr";

const PREFERENCES: Readonly<Record<string, boolean | number | string>> = {
  // A camera and a microphone that are none, on a page that has no address.
  "media.navigator.streams.fake": true,
  "media.navigator.permission.disabled": true,
  "media.devices.insecure.enabled": true,
  "media.getusermedia.insecure.enabled": true,
  "media.peerconnection.ice.loopback": true,
  "media.peerconnection.ice.obfuscate_host_addresses": false,
  "media.autoplay.default": 0,
  // Nothing of a test reaches for the network.
  "app.normandy.enabled": false,
  "app.update.enabled": false,
  "browser.safebrowsing.malware.enabled": false,
  "browser.safebrowsing.phishing.enabled": false,
  "browser.shell.checkDefaultBrowser": false,
  "browser.startup.page": 0,
  "datareporting.policy.dataSubmissionEnabled": false,
  "extensions.update.enabled": false,
  "media.gmp-manager.updateEnabled": false,
  "media.gmp-manager.url": "",
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "services.settings.server": "http://127.0.0.1:1/",
  "toolkit.telemetry.enabled": false,
};

const Reply = z.object({
  id: z.int().optional(),
  type: z.string(),
  message: z.string().optional(),
  result: z.unknown(),
});
const Tree = z.object({ contexts: z.tuple([z.object({ context: z.string() })], z.unknown()) });
const Evaluated = z.union([
  z.object({ type: z.literal("success"), result: z.object({ type: z.literal("string"), value: z.string() }) }),
  z.object({ type: z.literal("exception"), exceptionDetails: z.object({ text: z.string() }) }),
]);

/** A page in a Firefox of its own, spoken to by WebDriver BiDi: no other software is needed for that. */
export class FirefoxPage implements Page {
  readonly #process: ChildProcess;
  readonly #profile: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (reply: z.infer<typeof Reply>) => void>();
  #context = "";
  #requests = 0;

  private constructor(process: ChildProcess, profile: string, socket: WebSocket) {
    this.#process = process;
    this.#profile = profile;
    this.#socket = socket;
    socket.on("message", (data) => {
      const reply = Reply.parse(JSON.parse(String(data)));
      if (reply.id !== undefined) this.#waiting.get(reply.id)?.(reply);
    });
  }

  static async open(): Promise<FirefoxPage> {
    const profile = mkdtempSync(join(tmpdir(), "switchboard-firefox-"));
    const preferences = Object.entries(PREFERENCES).map(
      ([name, value]) => `user_pref("${name}", ${JSON.stringify(value)});`,
    );
    writeFileSync(join(profile, "user.js"), preferences.join("\n"));
    // An address of its own, which cameras need.
    const page = join(profile, "page.html");
    writeFileSync(page, "<!doctype html>");
    const args = ["--headless", "--no-remote", "--remote-debugging-port=0", "--profile", profile, page];
    const firefox = spawn(FIREFOX, args, {
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, HOME: profile },
    });
    const socket = new WebSocket(`${await address(firefox)}/session`);
    await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
    const driven = new FirefoxPage(firefox, profile, socket);
    await driven.#ask("session.new", { capabilities: {} });
    const { contexts } = Tree.parse(await driven.#ask("browsingContext.getTree", {}));
    driven.#context = contexts[0].context;
    return driven;
  }

  async call(run: (argument: string) => Promise<string>, argument = ""): Promise<string> {
    const reply = await this.#ask("script.callFunction", {
      functionDeclaration: String(run),
      arguments: [{ type: "string", value: argument }],
      target: { context: this.#context },
      awaitPromise: true,
    });
    const evaluated = Evaluated.parse(reply);
    if (evaluated.type === "exception") throw new Error(evaluated.exceptionDetails.text);
    return evaluated.result.value;
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#socket.terminate();
    this.#process.kill("SIGKILL");
    await ended;
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  async #ask(method: string, params: object): Promise<unknown> {
    this.#requests += 1;
    const id = this.#requests;
    const reply = await new Promise<z.infer<typeof Reply>>((resolve) => {
      this.#waiting.set(id, resolve);
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
    if (reply.type === "error") throw new Error(`${method}: ${reply.message}`);
    return reply.result;
  }
}

/** What Firefox says when it is there. */
async function address({ stderr }: ChildProcess): Promise<string> {
  if (!stderr) throw new Error("its errors are not piped");
  for await (const line of createInterface({ input: stderr })) {
    const found = /WebDriver BiDi listening on (ws:\S+)/.exec(line)?.[1];
    if (found !== undefined) {
      stderr.resume();
      return found;
    }
  }
  throw new Error("Firefox ended before it was there");
}
