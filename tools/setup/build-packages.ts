import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { lastLines, runLogged } from "./run-logged.ts";
import { SetupError } from "./setup-error.ts";

/** What building mediasoup's worker takes, by Debian package: any one of these commands, */
const COMMANDS = {
  "g++": ["c++", "g++", "clang++"],
  cmake: ["cmake"],
  "ninja-build": ["ninja"],
  "pkg-config": ["pkg-config"],
  "flatbuffers-compiler": ["flatc"],
} as const;

/** these libraries by the name that pkg-config knows, */
const LIBRARIES = {
  "libuv1-dev": "libuv",
  "libssl-dev": "openssl",
  "libsrtp2-dev": "libsrtp2",
} as const;

/** and these headers, asked of the compiler (without one they count as absent): pkg-config also knows flatbuffers where only its runtime is installed. */
const HEADERS = { "libflatbuffers-dev": "flatbuffers/flatbuffers.h" } as const;

export interface PackageSetup {
  readonly env: NodeJS.ProcessEnv;
  readonly log: (line: string) => void;
  readonly logFile: string;
  /** Whether packages may be installed here. */
  readonly isRoot: boolean;
}

/**
 * Sees to it that everything the build needs is there, installing Debian packages as root.
 * @throws SetupError `no_compiler` or `missing_package`, with the line that would install them
 */
export async function ensureBuildPackages(setup: PackageSetup): Promise<void> {
  const missing = await missingPackages(setup.env);
  if (missing.length === 0) return;
  if (!setup.isRoot || !(await onPath(["apt-get"], setup.env))) throw missingError(missing, "");
  setup.log(`installing ${missing.join(" ")}`);
  await install(missing, setup);
  const still = await missingPackages(setup.env);
  if (still.length > 0) throw missingError(still, `\n${await lastLines(setup.logFile, 10)}`);
}

async function install(packages: readonly string[], { env, logFile }: PackageSetup): Promise<void> {
  const quiet = { ...env, DEBIAN_FRONTEND: "noninteractive" };
  await runLogged("apt-get", ["update"], { env: quiet, logFile });
  await runLogged("apt-get", ["install", "-y", "--no-install-recommends", ...packages], { env: quiet, logFile });
}

async function missingPackages(env: NodeJS.ProcessEnv): Promise<string[]> {
  const tools = await absent(COMMANDS, (commands) => onPath(commands, env));
  const libraries = await absent(LIBRARIES, (library) => knowsLibrary(library, env));
  const headers = await absent(HEADERS, (header) => hasHeader(header, env));
  return [...tools, ...libraries, ...headers];
}

async function absent<T>(
  wanted: Readonly<Record<string, T>>,
  isThere: (what: T) => Promise<boolean>,
): Promise<string[]> {
  const checked = await Promise.all(
    Object.entries(wanted).map(async ([name, what]) => ((await isThere(what)) ? [] : [name])),
  );
  return checked.flat();
}

async function onPath(commands: readonly string[], env: NodeJS.ProcessEnv): Promise<boolean> {
  const folders = (env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  const candidates = folders.flatMap((folder) => commands.map((command) => join(folder, command)));
  const found = await Promise.all(candidates.map(isExecutable));
  return found.includes(true);
}

export async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

function knowsLibrary(library: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  return succeeds("pkg-config", ["--exists", library], env);
}

async function hasHeader(header: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  const flags = ["-fsyntax-only", "-include", header, "-x", "c++", "/dev/null"];
  const compiled = await Promise.all(COMMANDS["g++"].map((compiler) => succeeds(compiler, flags, env)));
  return compiled.includes(true);
}

async function succeeds(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<boolean> {
  return promisify(execFile)(command, args, { env }).then(
    () => true,
    () => false,
  );
}

function missingError(missing: readonly string[], detail: string): SetupError {
  const hint = `run: apt-get update && apt-get install -y --no-install-recommends ${missing.join(" ")}`;
  if (missing.includes("g++")) {
    return new SetupError(
      "no_compiler",
      `mediasoup's worker has to be built, and there is no C++ compiler${detail}`,
      hint,
    );
  }
  const message = `mediasoup's worker has to be built, and ${missing.join(", ")} is missing${detail}`;
  return new SetupError("missing_package", message, hint);
}
