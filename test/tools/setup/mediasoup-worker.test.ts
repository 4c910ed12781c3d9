import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ensureMediasoupWorker } from "../../../tools/setup/mediasoup-worker.ts";
import { SetupError } from "../../../tools/setup/setup-error.ts";

/** A worker exits with 41 where mediasoup did not start it; that is how it proves to run. */
const WORKER = "#!/bin/sh\nexit 41\n";
const BROKEN_WORKER = "#!/bin/sh\nexit 127\n";

let home = "";
let server: Server | undefined;
const lines: string[] = [];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "worker-setup-"));
  lines.length = 0;
  write(
    "package/package.json",
    JSON.stringify({ version: "9.9.9", repository: { url: "git+https://git.test/m.git" } }),
  );
  write("package/worker/meson.build", "");
  write("recipe/CMakeLists.txt", "recipe 1");
  mkdirSync(join(home, "bin"));
});

afterEach(() => {
  server?.close();
  server = undefined;
  rmSync(home, { recursive: true, force: true });
});

function write(path: string, content: string, mode = 0o644): string {
  const file = join(home, path);
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, content);
  chmodSync(file, mode);
  return file;
}

/** A command on the PATH of the setup, which holds nothing else. */
function command(name: string, script: string): void {
  write(`bin/${name}`, `#!/bin/sh\n${script}\n`, 0o755);
}

/** Everything that a build takes; ninja makes the worker that is given. */
function toolchain(worker = WORKER): void {
  for (const name of ["c++", "pkg-config", "flatc"]) command(name, "exit 0");
  write("built", worker, 0o755);
  command("ninja", `echo ninja >> ${home}/calls; echo "100% linking"; /bin/cp ${home}/built "$2/mediasoup-worker"`);
  command("cmake", `echo cmake >> ${home}/calls; /bin/mkdir -p "$4"`);
}

function ensure(changes: { env?: NodeJS.ProcessEnv; isRoot?: boolean } = {}): Promise<string> {
  return ensureMediasoupWorker({
    log: (line) => lines.push(line),
    cacheDir: join(home, "cache"),
    packageDir: join(home, "package"),
    recipeDir: join(home, "recipe"),
    isRoot: changes.isRoot ?? false,
    env: { PATH: join(home, "bin"), MEDIASOUP_SKIP_WORKER_PREBUILT_DOWNLOAD: "1", ...changes.env },
  });
}

async function failure(attempt: Promise<string>): Promise<SetupError> {
  const error = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof SetupError)) throw new Error(`expected a SetupError, got ${String(error)}`);
  return error;
}

/** Serves releases; returns what the setup needs to ask here and not elsewhere. */
async function releases(listener: RequestListener): Promise<NodeJS.ProcessEnv> {
  const started = createServer(listener);
  server = started;
  await new Promise<void>((resolve) => started.listen(0, "127.0.0.1", resolve));
  const address = started.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  command("tar", 'exec /bin/tar "$@"');
  command("gzip", 'exec /bin/gzip "$@"');
  return {
    MEDIASOUP_SKIP_WORKER_PREBUILT_DOWNLOAD: "",
    MEDIASOUP_WORKER_PREBUILT_DOWNLOAD_BASE_URL: `http://127.0.0.1:${address.port}`,
  };
}

function archiveOf(worker: string): Buffer {
  write("release/mediasoup-worker", worker);
  return execFileSync("tar", ["-czf", "-", "-C", join(home, "release"), "mediasoup-worker"]);
}

const calls = () => readFileSync(join(home, "calls"), "utf8").trim().split("\n");

describe("which worker is used", () => {
  it("the one that MEDIASOUP_WORKER_BIN names", async () => {
    const named = write("mine", WORKER, 0o755);
    expect(await ensure({ env: { MEDIASOUP_WORKER_BIN: named } })).toBe(named);
    expect(existsSync(join(home, "cache"))).toBe(false);
  });

  it("another, when MEDIASOUP_WORKER_BIN names nothing that can run", async () => {
    toolchain();
    const worker = await ensure({ env: { MEDIASOUP_WORKER_BIN: "skip" } });
    expect(worker).toContain(join(home, "cache"));
  });

  it("the cached one, without asking or building anything again", async () => {
    toolchain();
    const first = await ensure();
    const before = calls().length;
    lines.length = 0;
    expect(await ensure()).toBe(first);
    expect(calls()).toHaveLength(before);
    expect(lines).toEqual([]);
  });

  it("not the cached one of another recipe or version", async () => {
    toolchain();
    const workers = [await ensure()];
    write("recipe/CMakeLists.txt", "recipe 2");
    workers.push(await ensure());
    write("package/package.json", JSON.stringify({ version: "9.9.10", repository: { url: "https://git.test/m" } }));
    workers.push(await ensure());
    expect(new Set(workers).size).toBe(3);
  });

  it("not a cached one that no longer runs here", async () => {
    toolchain();
    const worker = await ensure();
    writeFileSync(worker, BROKEN_WORKER);
    expect(await ensure()).toBe(worker);
    expect(readFileSync(worker, "utf8")).toBe(WORKER);
  });

  it("the one in the folder that SWITCHBOARD_CACHE names", async () => {
    toolchain();
    const elsewhere = join(home, "elsewhere");
    const worker = await ensureMediasoupWorker({
      log: () => {},
      packageDir: join(home, "package"),
      recipeDir: join(home, "recipe"),
      env: { PATH: join(home, "bin"), SWITCHBOARD_CACHE: elsewhere, MEDIASOUP_SKIP_WORKER_PREBUILT_DOWNLOAD: "1" },
    });
    expect(worker.startsWith(elsewhere)).toBe(true);
  });
});

describe("the prebuilt worker", () => {
  it("is taken when it runs here, under the name that mediasoup gives it", async () => {
    const asked: (string | undefined)[] = [];
    const archive = archiveOf(WORKER);
    const env = await releases((request, response) => {
      asked.push(request.url);
      response.end(archive);
    });
    const worker = await ensure({ env });
    expect(readFileSync(worker, "utf8")).toBe(WORKER);
    expect(asked).toEqual([expect.stringMatching(/^\/9\.9\.9\/mediasoup-worker-9\.9\.9-\w+-\w+(-kernel\d+)?\.tgz$/)]);
  });

  it.each<[string, RequestListener]>([
    ["is not there", (_request, response) => response.writeHead(404).end()],
    ["is no archive", (_request, response) => response.end("hello")],
    [
      "is cut off",
      (_request, response) => response.writeHead(200, { "content-length": 99 }).write("x", () => response.destroy()),
    ],
  ])("that %s leads to a build", async (_title, listener) => {
    toolchain();
    const worker = await ensure({ env: await releases(listener) });
    expect(readFileSync(worker, "utf8")).toBe(WORKER);
    expect(calls()).toContain("ninja");
  });

  it("that does not run here leads to a build", async () => {
    toolchain();
    const archive = archiveOf(BROKEN_WORKER);
    const worker = await ensure({ env: await releases((_request, response) => response.end(archive)) });
    expect(readFileSync(worker, "utf8")).toBe(WORKER);
    expect(lines).toContain("the prebuilt mediasoup worker does not run on this system");
  });
});

describe("a build that cannot be", () => {
  it("without a compiler names the line that installs one", async () => {
    toolchain();
    rmSync(join(home, "bin", "c++"));
    const error = await failure(ensure());
    expect(error.reason).toBe("no_compiler");
    expect(error.hint).toBe("run: apt-get update && apt-get install -y --no-install-recommends g++ libflatbuffers-dev");
  });

  it("without anything names everything", async () => {
    const error = await failure(ensure());
    expect(error.reason).toBe("no_compiler");
    for (const name of [
      "g++",
      "cmake",
      "ninja-build",
      "pkg-config",
      "flatbuffers-compiler",
      "libuv1-dev",
      "libssl-dev",
      "libsrtp2-dev",
      "libflatbuffers-dev",
    ]) {
      expect(error.hint).toContain(` ${name}`);
    }
  });

  it("without a library names its package", async () => {
    toolchain();
    command("pkg-config", '[ "$2" != libsrtp2 ]');
    const error = await failure(ensure());
    expect(error.reason).toBe("missing_package");
    expect(error.hint).toMatch(/--no-install-recommends libsrtp2-dev$/);
  });

  it("does not take the runtime of flatbuffers for its headers", async () => {
    toolchain();
    command("c++", "exit 1");
    const error = await failure(ensure());
    expect(error.hint).toMatch(/--no-install-recommends libflatbuffers-dev$/);
  });

  it("as root installs what is missing, after an update", async () => {
    toolchain();
    rmSync(join(home, "bin", "flatc"));
    command(
      "apt-get",
      `echo "apt-get $*" >> ${home}/calls; [ "$1" = update ] || /bin/cp ${home}/bin/cmake ${home}/bin/flatc`,
    );
    await ensure({ isRoot: true });
    const asked = calls().filter((call) => call.startsWith("apt-get"));
    expect(asked).toEqual(["apt-get update", "apt-get install -y --no-install-recommends flatbuffers-compiler"]);
  });

  it("as root, where the installation fails, says why", async () => {
    toolchain();
    rmSync(join(home, "bin", "c++"));
    command("apt-get", 'echo "E: Unable to locate package g++" >&2; exit 100');
    const error = await failure(ensure({ isRoot: true }));
    expect(error.reason).toBe("no_compiler");
    expect(error.message).toContain("E: Unable to locate package g++");
    expect(error.hint).toContain("apt-get install");
  });

  it("with a recipe that fails gives the log and its last lines", async () => {
    toolchain();
    command("cmake", 'echo "CMake Error: no such source" >&2; exit 1');
    const error = await failure(ensure());
    expect(error.reason).toBe("mediasoup_build_failed");
    expect(error.message).toContain("CMake Error: no such source");
    expect(readFileSync(logNamedIn(error.hint), "utf8")).toContain("CMake Error: no such source");
  });

  it("with a source that does not compile gives the compiler's words", async () => {
    toolchain();
    command("ninja", 'echo "worker.cpp:7: error: expected a semicolon"; exit 1');
    const error = await failure(ensure());
    expect(error.reason).toBe("mediasoup_build_failed");
    expect(error.message).toContain("worker.cpp:7: error");
  });

  it("whose worker does not run is not kept", async () => {
    toolchain(BROKEN_WORKER);
    expect((await failure(ensure())).reason).toBe("mediasoup_build_failed");
    toolchain(WORKER);
    expect(readFileSync(await ensure(), "utf8")).toBe(WORKER);
  });

  it("leaves no half-made folder behind", async () => {
    toolchain();
    command("ninja", "exit 1");
    await failure(ensure());
    const left = readdirSync(join(home, "cache", "mediasoup-worker"));
    expect(left.filter((name) => name.startsWith("building-"))).toEqual([]);
  });
});

function logNamedIn(hint: string): string {
  return /the whole log: (.+)/.exec(hint)?.[1] ?? "";
}
