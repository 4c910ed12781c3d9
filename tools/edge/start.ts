import { once } from "node:events";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { lockFolder } from "../setup/folder-lock.ts";
import { type Part, startPart } from "../setup/part.ts";
import { SetupError } from "../setup/setup-error.ts";
import { bundleEdge } from "./bundle.ts";
import { EdgeAnswer, type EdgeConfig } from "./messages.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const ENTRY = fileURLToPath(new URL("./main.ts", import.meta.url));

/** No network, no spans of workerd's own (they cost 2 to 16 times), and no word from wrangler about what it reads. */
const ENVIRONMENT = {
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  WRANGLER_LOG: "error",
  WRANGLER_SEND_METRICS: "false",
  X_LOCAL_OBSERVABILITY: "false",
};

export interface EdgeOptions {
  /** 0, which is the default, takes any free one. */
  readonly port?: number;
  /** Where the Durable Objects are kept; one process at a time. */
  readonly dataDir: string;
  /** The Worker's secrets, and what differs from the [vars] of wrangler.toml. */
  readonly vars: Readonly<Record<string, string>>;
  /** A Worker built before by `bundleEdge`; without it, it is built now. */
  readonly mainModule?: string;
  /** Each line that the Worker or workerd writes. */
  readonly log?: (line: string) => void;
}

/** The Worker as it is deployed, in workerd, in a process of its own. */
export interface Edge extends Omit<Part, "child" | "stop"> {
  readonly url: string;
  close(): Promise<void>;
}

/** @throws SetupError `edge_build_failed`, `edge_start_failed`, `data_in_use` */
export async function startEdge(options: EdgeOptions): Promise<Edge> {
  const { dataDir, port = 0, vars, log = () => {} } = options;
  const mainModule = options.mainModule ?? (await bundleEdge(ROOT, join(dataDir, "bundle")));
  const release = lockFolder(dataDir);
  const written: string[] = [];
  const part = await startPart({
    name: "edge",
    entry: ENTRY,
    cwd: ROOT,
    env: { ...ENVIRONMENT, TMPDIR: emptied(join(dataDir, "tmp")) },
    log: (line) => {
      if (written.length < 5) written.push(line);
      log(line);
    },
  });
  part.exited.then(release);
  const config = {
    configPath: join(ROOT, "wrangler.toml"),
    mainModule,
    persistDir: join(dataDir, "state"),
    port,
    vars,
  };
  const answer = await ask(part, config);
  if (answer.type === "ready")
    return { url: answer.url, pid: part.pid, exited: part.exited, close: part.stop, kill: part.kill };
  await part.stop();
  throw new SetupError(
    "edge_start_failed",
    `workerd does not run the edge's Worker: ${[...answer.message.split("\n", 1), ...written].join("\n")}`,
    "A Worker that throws while it loads is the usual cause; the lines above say where.",
  );
}

/** Miniflare leaves its temporary files behind when it is killed: here the next start finds and deletes them. */
function emptied(folder: string): string {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  return folder;
}

async function ask(part: Part, config: EdgeConfig): Promise<EdgeAnswer> {
  const answered = once(part.child, "message").then(([answer]) => EdgeAnswer.parse(answer));
  part.child.send(config);
  return Promise.race([
    answered,
    part.exited.then((how): EdgeAnswer => ({ type: "failed", message: `its process ended (${how})` })),
  ]);
}
