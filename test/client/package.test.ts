import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";
import { ROOT } from "../support/project.ts";

const Manifest = z.object({ version: z.string(), dependencies: z.record(z.string(), z.string()) });

const APP = `
import { type Call, errorCode, type Room, Switchboard } from "switchboard-client";
const switchboard = new Switchboard({ url: "https://x", token: () => "t", deviceId: "d", deviceType: "Web" });
switchboard.incoming.subscribe((call: Call) => {
  const room: Room | null = call.room;
  call.answer({ video: room === null }).catch((error: unknown) => console.log(errorCode(error)));
});
// @ts-expect-error: the types are there, and are strict
switchboard.call("somebody");
`;

let app: string;
const tsc = (...args: string[]) => promisify(execFile)(join(ROOT, "node_modules/.bin/tsc"), args, { cwd: app });

/** An app beside nothing of this repository but the package, as it is unpacked, and what that depends on. */
beforeAll(async () => {
  await mkdir(join(ROOT, ".cache"), { recursive: true });
  app = await mkdtemp(join(ROOT, ".cache/app-"));
  const installed = join(app, "node_modules/switchboard-client");
  await mkdir(installed, { recursive: true });
  await cp(join(ROOT, "client/package.json"), join(installed, "package.json"));
  await symlink(join(ROOT, "node_modules/zod"), join(app, "node_modules/zod"));
  await tsc("-p", join(ROOT, "client/tsconfig.package.json"), "--outDir", join(installed, "dist"));
  await writeFile(join(app, "package.json"), JSON.stringify({ type: "module" }));
  await writeFile(join(app, "app.ts"), APP);
});
afterAll(() => rm(app, { recursive: true }));

test.each(["bundler", "nodenext"])(
  "an app needs no options of TypeScript's but those that it has: %s",
  async (how) => {
    const options = { strict: true, noEmit: true, target: "ES2022", exactOptionalPropertyTypes: true };
    const module = how === "bundler" ? "ESNext" : how;
    const compilerOptions = { ...options, module, moduleResolution: how, types: [], skipLibCheck: false };
    const config = join(app, `${how}.json`);
    await writeFile(config, JSON.stringify({ compilerOptions, files: ["app.ts"] }));
    const { stdout } = await tsc("-p", config).catch((error: { stdout: string }) => error);
    expect(stdout).toBe("");
  },
  60_000,
);

test("Vite takes it as it is", async () => {
  const lib = { entry: join(app, "app.ts"), formats: ["es" as const], fileName: "app" };
  await build({ root: app, configFile: false, logLevel: "silent", build: { lib, outDir: join(app, "out") } });
  expect(await readFile(join(app, "out/app.js"), "utf8")).toContain("call_initiate");
});

test("it has the version of the whole, and depends on what that depends on", async () => {
  const [own, whole] = await Promise.all(
    ["client/package.json", "package.json"].map(async (file) =>
      Manifest.parse(JSON.parse(await readFile(join(ROOT, file), "utf8"))),
    ),
  );
  expect(own?.version).toBe(whole?.version);
  for (const [name, version] of Object.entries(own?.dependencies ?? {})) {
    expect(version).toBe(`^${whole?.dependencies[name]}`);
  }
});
