import { readFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import { rounded } from "./statistics.ts";

const Package = z.object({ version: z.string() });

/** Where figures come from: they compare within one run only, or between runs on one quiet machine. */
export interface Machine {
  readonly at: string;
  readonly system: string;
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  /** Of the minute before: what else was going on. */
  readonly loadAverage: number;
  readonly versions: Readonly<Record<string, string>>;
}

export function describeMachine(): Machine {
  const processors = cpus();
  return {
    at: new Date().toISOString(),
    system: `${process.platform} ${release()}`,
    processor: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    loadAverage: rounded(loadavg()[0] ?? 0),
    versions: { node: process.versions.node, ...packages(["workerd", "miniflare", "@electric-sql/pglite", "ws"]) },
  };
}

function packages(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.map((name) => {
      const file = fileURLToPath(new URL(`../../node_modules/${name}/package.json`, import.meta.url));
      return [name, Package.parse(JSON.parse(readFileSync(file, "utf8"))).version];
    }),
  );
}
