import { readFileSync, statfsSync } from "node:fs";
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
  /** Of the folder with the objects' state: a commit waits for it, and on tmpfs for nothing. */
  readonly filesystem: string;
  readonly versions: Readonly<Record<string, string>>;
}

/** Magic numbers of statfs(2). */
const FILESYSTEMS = new Map([
  [0x01021994, "tmpfs"],
  [0xef53, "ext4"],
  [0x58465342, "xfs"],
  [0x9123683e, "btrfs"],
  [0x794c7630, "overlayfs"],
]);

/** @param folder where the objects' state is kept */
export function describeMachine(folder: string): Machine {
  const processors = cpus();
  return {
    at: new Date().toISOString(),
    system: `${process.platform} ${release()}`,
    processor: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    loadAverage: rounded(loadavg()[0] ?? 0),
    filesystem: FILESYSTEMS.get(statfsSync(folder).type) ?? "another",
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
