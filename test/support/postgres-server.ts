import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** A real PostgreSQL of its own, empty, on a random port of 127.0.0.1. */
export interface PostgresServer {
  readonly databaseUrl: string;
  /** Ends it as a crash would: connections break, the data stays. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Ends it for good. */
  close(): Promise<void>;
}

const PASSWORD = "a secret/of@the tests";
const DEBIAN = "/usr/lib/postgresql";

export async function startPostgresServer(): Promise<PostgresServer> {
  const bin = binaries();
  const user = unprivileged();
  const folder = mkdtempSync(join(tmpdir(), "switchboard-postgres-"));
  const data = join(folder, "data");
  chmodSync(folder, 0o700);
  if (user) chownSync(folder, user.uid, user.gid);
  writeFileSync(join(folder, "password"), PASSWORD, { mode: 0o644 });
  const options = ["--username=tester", "--auth=scram-sha-256", `--pwfile=${join(folder, "password")}`];
  execFileSync(join(bin, "initdb"), ["-D", data, ...options, "--encoding=UTF8", "--locale=C", "--no-sync"], {
    ...user,
    cwd: folder,
  });
  const port = await freePort();
  const start = () => startPostmaster(join(bin, "postgres"), data, port, { ...user, cwd: folder });
  let server = await start();
  const killed = () => server.kill("SIGKILL");
  process.once("exit", killed);
  const stop = () => end(server);
  return {
    databaseUrl: `postgres://tester:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/postgres`,
    stop,
    start: async () => {
      server = await start();
    },
    close: async () => {
      await stop();
      process.off("exit", killed);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Debian keeps each version in a folder; 15 is the oldest that is supported. */
function binaries(): string {
  if (installed() === undefined) installPackage();
  const found = installed();
  if (found === undefined) throw new Error("no PostgreSQL is installed: apt-get install postgresql");
  return found;
}

function installed(): string | undefined {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN) : [];
  const folders = [
    ...versions.sort().map((version) => join(DEBIAN, version, "bin")),
    ...(process.env.PATH ?? "").split(":"),
  ];
  return folders.find((folder) => existsSync(join(folder, "initdb")));
}

function installPackage(): void {
  if (process.getuid?.() !== 0) return;
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  execFileSync("apt-get", ["update", "-qq"], { env });
  execFileSync("apt-get", ["install", "-y", "-qq", "--no-install-recommends", "postgresql"], { env });
}

/** Postgres refuses to run as root. */
function unprivileged(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = readFileSync("/etc/passwd", "utf8").split("\n");
  const names = accounts.map((line) => line.split(":"));
  const account = names.find(([name]) => name === "postgres") ?? names.find(([name]) => name === "nobody");
  return account && { uid: Number(account[2]), gid: Number(account[3]) };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("no port is free");
  return address.port;
}

async function startPostmaster(
  binary: string,
  data: string,
  port: number,
  as: Partial<Account> & { readonly cwd: string },
): Promise<ChildProcess> {
  const settings = {
    port,
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    fsync: "off",
    timezone: "Asia/Kolkata",
  };
  const args = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const server = spawn(binary, ["-D", data, ...args], { ...as, stdio: ["ignore", "ignore", "pipe"] });
  const lines: string[] = [];
  for await (const line of createInterface({ input: server.stderr })) {
    lines.push(line);
    if (line.includes("ready to accept connections")) return drained(server);
  }
  throw new Error(`PostgreSQL did not start: ${lines.join("\n")}`);
}

/** A pipe that nobody reads fills up and stops its writer. */
function drained(server: ChildProcess): ChildProcess {
  server.stderr?.resume();
  return server;
}

async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const exited = once(server, "exit");
  // Immediate shutdown: open connections are not waited for.
  server.kill("SIGQUIT");
  await exited;
}
