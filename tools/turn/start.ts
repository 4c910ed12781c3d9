import { once } from "node:events";
import { accessSync, constants, mkdirSync } from "node:fs";
import { connect } from "node:net";
import { delimiter, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Part, startPart } from "../setup/part.ts";
import { SetupError } from "../setup/setup-error.ts";
import { freePort } from "../start/port.ts";
import { writeTurnConfig } from "./config.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const ENTRY = fileURLToPath(new URL("./main.ts", import.meta.url));
const ADDRESS = "127.0.0.1";

/** Only a failure ever takes this long. */
const START_MS = 10_000;
/** coturn says a lot at each start; the end of it tells why there was none. */
const KEPT_LINES = 10;

export interface TurnServerOptions {
  /** Made where there is none. */
  readonly folder: string;
  readonly secrets: readonly string[];
  /** Further lines of its config. */
  readonly more?: readonly string[];
  /** Each error that it writes. */
  readonly log?: (line: string) => void;
}

/** A coturn on free ports of 127.0.0.1. */
export interface TurnServer extends Omit<Part, "child"> {
  readonly port: number;
  readonly tlsPort: number;
  readonly configPath: string;
}

export function isTurnInstalled(env = process.env): boolean {
  return (env.PATH ?? "").split(delimiter).some((folder) => isExecutable(join(folder, "turnserver")));
}

/** @throws SetupError `turn_start_failed` */
export async function startTurnServer(options: TurnServerOptions): Promise<TurnServer> {
  const { folder, secrets, more = [], log } = options;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const [port, tlsPort] = [await freePort(), await freePort()];
  const configPath = await writeTurnConfig({ folder, address: ADDRESS, port, tlsPort, secrets, more });
  const lines: string[] = [];
  const { child: _, ...part } = await startPart({
    name: "TURN server",
    entry: ENTRY,
    cwd: ROOT,
    env: { TURN_CONFIG: configPath },
    log: (line) => {
      lines.splice(0, lines.length - KEPT_LINES + 1);
      lines.push(line);
      if (line.includes("ERROR")) log?.(line);
    },
  });
  const problem = await Promise.race([listening(port), part.exited.then((how) => `its process ended (${how})`)]);
  if (problem === null) return { ...part, port, tlsPort, configPath };
  await part.stop();
  const wrote = ["coturn does not start:", problem, ...lines].join("\n");
  throw new SetupError("turn_start_failed", wrote, "Without coturn on this machine all else runs.");
}

/** coturn does not say when it is ready. @returns what is wrong */
async function listening(port: number): Promise<string | null> {
  for (const by = Date.now() + START_MS; Date.now() < by; await delay(20)) if (await knock(port)) return null;
  return `nothing listens on port ${port} after ${START_MS / 1000} s`;
}

async function knock(port: number): Promise<boolean> {
  const socket = connect(port, ADDRESS);
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
