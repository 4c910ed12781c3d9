import { once } from "node:events";
import { dirname } from "node:path";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions } from "wrangler";
import { type EdgeAnswer, EdgeConfig } from "./messages.ts";

// The edge's process: the Worker in workerd, by the bindings of wrangler.toml. Miniflare takes workerd down at SIGTERM.

process.channel?.ref();
const [message] = await once(process, "message");
process.channel?.unref();
const edge = new Miniflare(miniflareOptions(EdgeConfig.parse(message)));
try {
  const url = await edge.ready;
  answer({ type: "ready", url: url.origin });
} catch (error) {
  answer({ type: "failed", message: error instanceof Error ? error.message : String(error) });
}

function miniflareOptions({ configPath, mainModule, persistDir, port, vars }: EdgeConfig) {
  // wrangler looks for the secrets that wrangler.toml requires, and warns of each it misses.
  Object.assign(process.env, vars);
  const { workerOptions } = unstable_getMiniflareWorkerOptions(configPath);
  const { rootPath: _, modulesRules: __, ...worker } = workerOptions;
  return convertV4MiniflareOptions({
    host: "127.0.0.1",
    port,
    cf: false,
    telemetry: { enabled: false },
    log: new Log(LogLevel.WARN),
    logRequests: false,
    resourcePersistencePath: persistDir,
    workers: [
      {
        ...worker,
        name: "switchboard",
        modules: [{ type: "ESModule", path: mainModule }],
        modulesRoot: dirname(mainModule),
        bindings: Object.assign({}, worker.bindings, vars),
      },
    ],
  });
}

function answer(message: EdgeAnswer): void {
  process.send?.(message);
}
