import { execFile } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterEach, expect, test } from "vitest";
import { ROOT } from "../support/project.ts";

/** What the sample calls the reader's own. */
const YOURS = `
declare function showRingScreen(call: Call): void;
declare const answerButton: HTMLButtonElement, declineButton: HTMLButtonElement, ignoreButton: HTMLButtonElement;
declare const callButton: HTMLButtonElement, hangUpButton: HTMLButtonElement;
declare const remoteVideo: HTMLVideoElement, status: HTMLElement;
declare function tileOf(key: string): { video: HTMLVideoElement; audio: HTMLAudioElement; title: HTMLElement };
`;

const SAMPLE = join(ROOT, ".cache/readme-sample.ts");
const CONFIG = join(ROOT, ".cache/readme-sample.json");
afterEach(() => Promise.all([SAMPLE, CONFIG].map((file) => rm(file))));

test("the samples in client/README.md type-check", async () => {
  const readme = await readFile(join(ROOT, "client/README.md"), "utf8");
  const samples = [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code);
  expect(samples).toHaveLength(2);
  await mkdir(dirname(SAMPLE), { recursive: true });
  await writeFile(SAMPLE, `${samples.join("\n")}\n${YOURS}`);
  const paths = { "switchboard-client": ["../client/index.ts"] };
  const config = { extends: "../client/tsconfig.json", compilerOptions: { paths }, include: [SAMPLE] };
  await writeFile(CONFIG, JSON.stringify(config));
  const check = promisify(execFile)(join(ROOT, "node_modules/.bin/tsc"), ["-p", CONFIG]);
  const { stdout } = await check.catch((error: { stdout: string }) => error);
  expect(stdout).toBe("");
});
