import { readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { ContactsResponse, DevTokenResponse, HealthResponse, IceServersResponse } from "../../schema/http.ts";
import { fillFolder, temporaryFolder } from "../support/data-folder.ts";
import { freePort } from "../support/free-port.ts";
import { alive, family, killFamily, Run } from "../support/processes.ts";
import { ROOT } from "../support/project.ts";
import { TurnClient } from "../support/turn-client.ts";

const READY = "Switchboard is ready: ";

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

/** `npm start` with a folder of data; whatever a failed test leaves of it goes. */
async function npmStart(dataDir: string): Promise<{ run: Run; url: string }> {
  const port = await freePort();
  const run = new Run("npm", ["start"], {
    cwd: ROOT,
    env: { PORT: String(port), DATA_DIR: dataDir, DATABASE_URL: "" },
  });
  cleanups.push(() => killFamily(run.pid));
  await run.wrote(READY);
  return { run, url: `http://127.0.0.1:${port}` };
}

/** As an earlier start leaves it: making the database takes seconds. */
async function usedDataFolder(): Promise<string> {
  const folder = dataFolder();
  await fillFolder(folder);
  return folder;
}

function dataFolder(): string {
  const folder = temporaryFolder();
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

it("starts, serves a page, an API and an SFU node, stops by Ctrl-C, and finds its users again", async () => {
  const dataDir = dataFolder();
  const first = await npmStart(dataDir);
  expect(first.run.output).toContain(`${READY}${first.url}\n`);
  const page = await fetch(first.url);
  expect(page.headers.get("content-type")).toContain("text/html");
  const health = HealthResponse.parse(await (await fetch(`${first.url}/health`)).json());
  expect(health).toMatchObject({ status: "ok", services: { postgres: { status: "ok" }, sfu: { nodes: 1 } } });

  const secrets = join(dataDir, "secrets.json");
  expect(statSync(secrets).mode & 0o777).toBe(0o600);
  const kept = readFileSync(secrets, "utf8");

  const alice = await developmentUser(first.url, "Alice");
  const bob = await developmentUser(first.url, "Bob");
  await expect.poll(() => contactNames(first.url, bob.token)).toContain("Alice");

  const firstFamily = family(first.run.pid);
  const commands = firstFamily.map(({ command }) => command).join("\n");
  expect(commands).toContain("workerd serve");
  expect(commands).toContain("mediasoup-worker");
  expect(commands).toContain("turnserver -c");
  first.run.interrupt();
  expect(await first.run.ended()).toBe(0);
  expect(alive(firstFamily)).toEqual([]);

  const second = await npmStart(dataDir);
  expect(await contactNames(second.url, alice.token)).toContain("Bob");
  expect(readFileSync(secrets, "utf8")).toBe(kept);
  second.run.interrupt();
  expect(await second.run.ended()).toBe(0);
});

it("relays calls of this machine, where coturn is installed", async () => {
  const { run, url } = await npmStart(await usedDataFolder());
  const { token } = await developmentUser(url, "Alice");
  const answer = await fetch(`${url}/api/ice-servers`, { headers: { authorization: `Bearer ${token}` } });
  const [, turn] = IceServersResponse.parse(await answer.json()).iceServers;
  const [port, tlsPort] = [/^turn:127\.0\.0\.1:(\d+)/, /^turns:127\.0\.0\.1:(\d+)/].map((pattern) =>
    Number(turn?.urls.map((address) => pattern.exec(address)?.[1]).find((found) => found !== undefined)),
  );
  const client = await TurnClient.open({ port: port ?? 0, tlsPort: tlsPort ?? 0 }, "tls");
  const { username = "", credential = "" } = turn ?? {};
  expect(await client.allocate({ username, credential })).toEqual({ lifetime: 600 });
  expect([await client.permit("127.0.0.1"), await client.permit("10.0.0.1")]).toEqual([null, 403]);
  client.close();
  run.interrupt();
  expect(await run.ended()).toBe(0);
});

it("goes on without coturn, and says so", async () => {
  const run = new Run(process.execPath, ["tools/bootstrap.mjs", "start"], {
    cwd: ROOT,
    env: { PORT: String(await freePort()), DATA_DIR: await usedDataFolder(), DATABASE_URL: "", PATH: dataFolder() },
  });
  cleanups.push(() => killFamily(run.pid));
  await run.wrote(READY);
  expect(run.output).toContain("TURN server | coturn is not installed");
  run.interrupt();
  expect(await run.ended()).toBe(0);
});

it("stops everything at a SIGTERM to npm alone", async () => {
  const { run } = await npmStart(await usedDataFolder());
  const all = family(run.pid);
  run.child.kill("SIGTERM");
  expect(await run.ended()).toBe(0);
  expect(alive(all)).toEqual([]);
});

it("stops everything, and says which part it was, when a part dies", async () => {
  const { run } = await npmStart(await usedDataFolder());
  const all = family(run.pid);
  const edge = all.find(({ command }) => command.includes("tools/edge/main.ts"));
  expect(edge).toBeDefined();
  if (edge) process.kill(edge.pid, "SIGKILL");
  expect(await run.ended()).toBe(42);
  expect(run.output).toContain("error: the edge ended by itself (SIGKILL)");
  expect(alive(all)).toEqual([]);
});

it("leaves no process behind when it is itself killed", async () => {
  const { run } = await npmStart(await usedDataFolder());
  const all = family(run.pid);
  const supervisor = all.find(({ command }) => command.includes("tools/start.ts"));
  if (supervisor) process.kill(supervisor.pid, "SIGKILL");
  await expect.poll(() => alive(all)).toEqual([]);
});

it("stops in the middle of starting", async () => {
  const run = new Run("npm", ["start"], {
    cwd: ROOT,
    env: { PORT: String(await freePort()), DATA_DIR: await usedDataFolder(), DATABASE_URL: "" },
  });
  cleanups.push(() => killFamily(run.pid));
  await run.wrote("ok   web page");
  const all = family(run.pid);
  run.interrupt();
  expect(await run.ended()).toBe(0);
  expect(alive(all)).toEqual([]);
});

it("stops a build that is under way, with all of its compilers", async () => {
  const bin = dataFolder();
  for (const tool of ["c++", "ninja", "pkg-config", "flatc"]) symlinkSync("/bin/true", join(bin, tool));
  writeFileSync(join(bin, "cmake"), "#!/bin/sh\n/bin/sleep 1000\n", { mode: 0o755 });
  const run = new Run(process.execPath, ["tools/bootstrap.mjs", "start"], {
    cwd: ROOT,
    env: {
      PORT: String(await freePort()),
      DATA_DIR: dataFolder(),
      PATH: bin,
      SWITCHBOARD_CACHE: dataFolder(),
      MEDIASOUP_WORKER_BIN: "",
      MEDIASOUP_SKIP_WORKER_PREBUILT_DOWNLOAD: "true",
    },
  });
  cleanups.push(() => killFamily(run.pid));
  await run.wrote("building mediasoup's worker");
  await expect.poll(() => family(run.pid).map(({ command }) => command)).toContain("/bin/sleep 1000 ");
  const all = family(run.pid);
  run.child.kill("SIGTERM");
  expect(await run.ended()).toBe(0);
  await expect.poll(() => alive(all)).toEqual([]);
});

async function developmentUser(url: string, name: string): Promise<{ token: string }> {
  const response = await fetch(`${url}/api/dev/token`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name }),
  });
  return DevTokenResponse.parse(await response.json());
}

async function contactNames(url: string, token: string): Promise<string[]> {
  const response = await fetch(`${url}/api/contacts`, { headers: { authorization: `Bearer ${token}` } });
  return ContactsResponse.parse(await response.json()).contacts.map(({ name }) => name);
}
