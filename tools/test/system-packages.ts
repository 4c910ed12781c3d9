import { accessSync, constants, existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { SetupError } from "../setup/setup-error.ts";
import { run } from "./run.ts";

/** What tests use, and the Debian package that has it. */
interface Needed {
  readonly what: string;
  readonly debian: string;
  readonly isThere: (env: NodeJS.ProcessEnv) => boolean;
}

const NEEDED: readonly Needed[] = [
  {
    what: "a browser",
    debian: "chromium",
    isThere: (env) => onPath("chromium", env) || onPath("chromium-browser", env),
  },
  {
    what: "Chromium's headless shell",
    debian: "chromium-headless-shell",
    isThere: (env) => onPath("chromium-headless-shell", env) || executable("/usr/lib/chromium/chromium-headless-shell"),
  },
  {
    what: "PostgreSQL's server",
    debian: "postgresql",
    isThere: (env) => onPath("initdb", env) || postgresFolders().some((folder) => executable(join(folder, "initdb"))),
  },
  // WebRTC stacks that are no Chromium: 140 MB to load, 490 MB on disk.
  { what: "Firefox", debian: "firefox-esr", isThere: (env) => onPath("firefox-esr", env) },
  { what: "coturn", debian: "coturn", isThere: (env) => onPath("turnserver", env) },
  // Homes behind NATs: root's commands, which others have not in their PATH.
  { what: "ip", debian: "iproute2", isThere: (env) => onPath("ip", env) || executable("/usr/sbin/ip") },
  { what: "nftables", debian: "nftables", isThere: (env) => onPath("nft", env) || executable("/usr/sbin/nft") },
  plugin("GStreamer's webrtcbin", "gstreamer1.0-plugins-bad", "gstreamer-1.0/libgstwebrtc.so"),
  plugin("GStreamer's ICE", "gstreamer1.0-nice", "gstreamer-1.0/libgstnice.so"),
  plugin("GStreamer's VP8", "gstreamer1.0-plugins-good", "gstreamer-1.0/libgstvpx.so"),
  plugin("GStreamer's Opus", "gstreamer1.0-plugins-base", "gstreamer-1.0/libgstopus.so"),
  plugin("webrtcbin for Python", "gir1.2-gst-plugins-bad-1.0", "girepository-1.0/GstWebRTC-1.0.typelib"),
  {
    what: "GStreamer for Python",
    debian: "python3-gst-1.0",
    isThere: () => existsSync("/usr/lib/python3/dist-packages/gi/overrides/Gst.py"),
  },
];

/**
 * Installs what is missing from Debian's packages, as root.
 * @throws SetupError `missing_package` with the line to run, for others
 */
export async function ensureSystemPackages(say: (line: string) => void, env = process.env): Promise<void> {
  const missing = NEEDED.filter(({ isThere }) => !isThere(env));
  if (missing.length === 0) return;
  const packages = missing.map(({ debian }) => debian);
  if (process.getuid?.() === 0 && onPath("apt-get", env)) {
    say(`installing ${packages.join(" ")} from Debian's packages`);
    const quiet = { ...env, DEBIAN_FRONTEND: "noninteractive" };
    await run("apt-get", ["update", "-qq"], { env: quiet });
    await run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...packages], { env: quiet });
  }
  const still = missing.filter(({ isThere }) => !isThere(env));
  if (still.length === 0) return;
  throw new SetupError(
    "missing_package",
    `the tests need ${still.map(({ what }) => what).join(" and ")}`,
    `run as root: apt-get update && apt-get install -y --no-install-recommends ${packages.join(" ")}`,
  );
}

/** Debian has a folder of libraries for each architecture. */
function plugin(what: string, debian: string, path: string): Needed {
  return {
    what,
    debian,
    isThere: () => readdirSync("/usr/lib").some((folder) => existsSync(join("/usr/lib", folder, path))),
  };
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
