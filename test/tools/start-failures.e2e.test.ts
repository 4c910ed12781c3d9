import { once } from "node:events";
import { appendFileSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { EXIT_CODES } from "../../tools/setup/exit-codes.mjs";
import { fillFolder, temporaryFolder } from "../support/data-folder.ts";
import { freePort } from "../support/free-port.ts";
import { killFamily, Run } from "../support/processes.ts";
import { copyProject, ROOT } from "../support/project.ts";

/** Each failure that a person can mend ends with a code of its own and a message that says how. */

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

interface Attempt {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** In front of the script, for node itself. */
  readonly nodeArgs?: readonly string[];
}

async function start({ cwd = ROOT, env = {}, nodeArgs = [] }: Attempt): Promise<{ code: number; output: string }> {
  const own = { PORT: String(await freePort()), DATA_DIR: folder(), DATABASE_URL: "", SWITCHBOARD_CACHE: CACHE };
  const args = [...nodeArgs, "tools/bootstrap.mjs", "start"];
  const run = new Run(process.execPath, args, { cwd, env: { ...own, ...env } });
  cleanups.push(() => killFamily(run.pid));
  const code = await run.ended();
  return { code, output: run.output };
}

const CACHE = join(ROOT, ".cache");

/** Where a start before this one has made its database: making one takes seconds. */
async function usedFolder(): Promise<string> {
  const path = folder();
  await fillFolder(path);
  return path;
}

function folder(): string {
  const path = temporaryFolder();
  cleanups.push(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function project(options?: { installed: boolean }): string {
  const copy = copyProject(options);
  cleanups.push(copy.remove);
  return copy.folder;
}

/** What node tells of itself, as a node of another version would. */
function pretendNode(version: string): string[] {
  const versions = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${version}" } })`;
  return ["--import", `data:text/javascript,${encodeURIComponent(versions)}`];
}

describe("before anything runs", () => {
  it("refuses a node that is too old", async () => {
    const { code, output } = await start({ nodeArgs: pretendNode("18.20.4") });
    expect(code).toBe(EXIT_CODES.node_too_old);
    expect(output).toContain("Node.js 18.20.4 is too old, Switchboard needs 20 or newer");
    expect(output).toContain("Install a current one");
  });

  it("refuses a node that runs no TypeScript where the project brings none of its own", async () => {
    const cwd = project({ installed: false });
    mkdirSync(join(cwd, "node_modules"));
    // As npm leaves it on a system that the optional packages are not made for.
    writeFileSync(join(cwd, "node_modules/.package-lock.json"), readFileSync(join(cwd, "package-lock.json")));
    const { code, output } = await start({ cwd, nodeArgs: pretendNode("20.1.0") });
    expect(code).toBe(EXIT_CODES.node_too_old);
    expect(output).toContain("install Node.js 24");
  });

  it("says so when the packages cannot be installed", async () => {
    const registry = `http://127.0.0.1:${await freePort()}`;
    const env = { npm_config_registry: registry, npm_config_cache: folder(), npm_config_fetch_retries: "0" };
    const { code, output } = await start({ cwd: project({ installed: false }), env });
    expect(code).toBe(EXIT_CODES.npm_install_failed);
    expect(output).toContain("the packages could not be installed");
    expect(output).toContain("Check the network");
  });

  it("refuses a PORT that is none", async () => {
    const { code, output } = await start({ env: { PORT: "70000" } });
    expect(code).toBe(EXIT_CODES.bad_setting);
    expect(output).toContain('PORT is "70000"');
  });

  it("refuses a port in use", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    cleanups.push(() => server.close());
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const { code, output } = await start({ env: { PORT: String(port) } });
    expect(code).toBe(EXIT_CODES.port_in_use);
    expect(output).toContain(`port ${port} of 127.0.0.1 is in use`);
    expect(output).toMatch(/choose another: PORT=\d+ npm start/);
  });
});

describe("mediasoup's worker", () => {
  /** An empty cache, no download, and no commands but these. */
  function machine(commands: Record<string, string>): NodeJS.ProcessEnv {
    const bin = folder();
    for (const [name, target] of Object.entries(commands)) symlinkSync(target, join(bin, name));
    return {
      PATH: bin,
      SWITCHBOARD_CACHE: folder(),
      MEDIASOUP_WORKER_BIN: "",
      MEDIASOUP_SKIP_WORKER_PREBUILT_DOWNLOAD: "true",
    };
  }

  it("names the packages when there is no compiler", async () => {
    const { code, output } = await start({ env: machine({}) });
    expect(code).toBe(EXIT_CODES.no_compiler);
    expect(output).toContain("there is no C++ compiler");
    expect(output).toContain("apt-get install -y --no-install-recommends g++");
  });

  it("names the log when it does not build", async () => {
    const works = Object.fromEntries(["g++", "ninja", "pkg-config", "flatc"].map((tool) => [tool, "/bin/true"]));
    const { code, output } = await start({ env: machine({ ...works, cmake: "/bin/false" }) });
    expect(code).toBe(EXIT_CODES.mediasoup_build_failed);
    expect(output).toContain("mediasoup's worker does not build: cmake ended with 1");
    expect(output).toContain("the whole log: ");
  });
});

describe("the database", () => {
  it("says who does not answer at DATABASE_URL", async () => {
    const url = `postgres://user:hidden@127.0.0.1:${await freePort()}/calls`;
    const { code, output } = await start({ env: { DATABASE_URL: url } });
    expect(code).toBe(EXIT_CODES.database_down);
    expect(output).toContain("Postgres does not answer user at 127.0.0.1");
    expect(output).toContain("correct DATABASE_URL");
    expect(output).not.toContain("hidden");
  });

  it("names a broken migration", async () => {
    const cwd = project();
    const migrations = join(cwd, "schema/db/migrations");
    const journal = JSON.parse(readFileSync(join(migrations, "meta/_journal.json"), "utf8"));
    const broken = { ...journal.entries.at(-1), idx: journal.entries.length, when: Date.now(), tag: "9999_broken" };
    journal.entries.push(broken);
    writeFileSync(join(migrations, "meta/_journal.json"), JSON.stringify(journal));
    writeFileSync(join(migrations, "9999_broken.sql"), "ALTER TABLE nobody ADD COLUMN x int;");
    const { code, output } = await start({ cwd, env: { DATA_DIR: await usedFolder() } });
    expect(code).toBe(EXIT_CODES.migration_broken);
    expect(output).toContain("migration 9999_broken.sql failed");
    expect(output).toContain("Correct the migration");
  });
});

describe("the code", () => {
  it("shows where the edge's Worker does not build", async () => {
    const cwd = project();
    appendFileSync(join(cwd, "workers/index.ts"), "\nconst = broken;\n");
    const { code, output } = await start({ cwd, env: { DATA_DIR: await usedFolder() } });
    expect(code).toBe(EXIT_CODES.edge_build_failed);
    expect(output).toContain("the edge's Worker does not build");
    expect(output).toContain("workers/index.ts");
  });

  it("shows what workerd says of a Worker that throws while it loads", async () => {
    const cwd = project();
    appendFileSync(join(cwd, "workers/index.ts"), '\nthrow new Error("thrown at load");\n');
    const { code, output } = await start({ cwd, env: { DATA_DIR: await usedFolder() } });
    expect(code).toBe(EXIT_CODES.edge_start_failed);
    expect(output).toContain("thrown at load");
  });

  it("shows where the web page does not build", async () => {
    const cwd = project();
    rmSync(join(cwd, "web/index.html"));
    const { code, output } = await start({ cwd, env: { DATA_DIR: await usedFolder() } });
    expect(code).toBe(EXIT_CODES.web_build_failed);
    expect(output).toContain("web/index.html");
  });

  it("says so when coturn ends instead of listening, and what it wrote", async () => {
    const bin = folder();
    writeFileSync(join(bin, "turnserver"), "#!/bin/sh\necho this coturn is broken\nexit 3\n", { mode: 0o755 });
    const { code, output } = await start({ env: { DATA_DIR: await usedFolder(), PATH: `${bin}:${process.env.PATH}` } });
    expect(code).toBe(EXIT_CODES.turn_start_failed);
    expect(output).toContain("its process ended (exit code 3)\nthis coturn is broken");
  });

  it("says so when the SFU node ends instead of registering", async () => {
    const cwd = project();
    appendFileSync(join(cwd, "sfu-node/main.ts"), "\nprocess.exit(3);\n");
    const { code, output } = await start({ cwd, env: { DATA_DIR: await usedFolder() } });
    expect(code).toBe(EXIT_CODES.sfu_start_failed);
    expect(output).toContain("its process ended (exit code 3)");
  });
});
