import { accessSync, constants, existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { SetupError } from "../setup/setup-error.ts";
import { run } from "./run.ts";

/** A program that tests use, the Debian package that has it, and where else than in PATH it may be. */
interface Needed {
  readonly what: string;
  readonly commands: readonly string[];
  readonly debian: string;
  readonly folders: () => readonly string[];
}

const NEEDED: readonly Needed[] = [
  { what: "a browser", commands: ["chromium", "chromium-browser"], debian: "chromium", folders: () => [] },
  { what: "PostgreSQL's server", commands: ["initdb"], debian: "postgresql", folders: postgresFolders },
];

/**
 * Installs what is missing from Debian's packages, as root.
 * @throws SetupError `missing_package` with the line to run, for others
 */
export async function ensureSystemPackages(say: (line: string) => void, env = process.env): Promise<void> {
  const missing = NEEDED.filter((needed) => !found(needed, env));
  if (missing.length === 0) return;
  const packages = missing.map(({ debian }) => debian);
  if (process.getuid?.() === 0 && onPath("apt-get", env)) {
    say(`installing ${packages.join(" ")} from Debian's packages`);
    const quiet = { ...env, DEBIAN_FRONTEND: "noninteractive" };
    await run("apt-get", ["update", "-qq"], { env: quiet });
    await run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...packages], { env: quiet });
  }
  const still = missing.filter((needed) => !found(needed, env));
  if (still.length === 0) return;
  throw new SetupError(
    "missing_package",
    `the tests need ${still.map(({ what }) => what).join(" and ")}`,
    `run as root: apt-get update && apt-get install -y --no-install-recommends ${packages.join(" ")}`,
  );
}

function found({ commands, folders }: Needed, env: NodeJS.ProcessEnv): boolean {
  return commands.some(
    (command) => onPath(command, env) || folders().some((folder) => executable(join(folder, command))),
  );
}

function onPath(command: string, env: NodeJS.ProcessEnv): boolean {
  return (env.PATH ?? "").split(delimiter).some((folder) => executable(join(folder, command)));
}

/** Debian keeps the server's programs out of PATH. */
function postgresFolders(): string[] {
  const root = "/usr/lib/postgresql";
  return existsSync(root) ? readdirSync(root).map((version) => join(root, version, "bin")) : [];
}

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
