import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

interface Rule {
  readonly pattern: string;
  readonly keeps: boolean;
}

/** The files that a builder is sent: those of the folder, less what the Dockerfile's own .dockerignore leaves out. */
export function contextFiles(root: string, dockerfile: string): string[] {
  const rules = readFileSync(join(root, `${dockerfile}.dockerignore`), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => ({ pattern: line.replace(/^!/, ""), keeps: line.startsWith("!") }));
  return filesBelow(root, "", rules).sort();
}

function filesBelow(root: string, folder: string, rules: readonly Rule[]): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return mayKeepBelow(path, rules) ? filesBelow(root, path, rules) : [];
    return isKept(path, rules) ? [path] : [];
  });
}

/** The last rule that speaks of a path, or of a folder above it, decides. */
function isKept(path: string, rules: readonly Rule[]): boolean {
  const last = rules.findLast(({ pattern }) => selfAndAbove(path).some((above) => matches(above, pattern)));
  return last?.keeps ?? true;
}

function mayKeepBelow(folder: string, rules: readonly Rule[]): boolean {
  return isKept(folder, rules) || rules.some(({ pattern, keeps }) => keeps && pattern.startsWith(`${folder}/`));
}

function selfAndAbove(path: string): string[] {
  return path === "." ? [] : [path, ...selfAndAbove(dirname(path))];
}

/** Where each file of a COPY goes: a folder's content goes into the target, a file into a target that ends in "/" or is one. */
export function copied(sources: readonly string[], to: string, files: readonly string[]): Map<string, string> {
  const targets = new Map<string, string>();
  for (const source of sources) {
    const found = files.flatMap((file): [string, string][] => {
      if (matches(file, source)) return [[file, intoFolder(to) ? join(to, basename(file)) : to]];
      return file.startsWith(`${source}/`) ? [[file, join(to, file.slice(source.length))]] : [];
    });
    if (found.length === 0) throw new Error(`COPY finds no ${source} in what the builder is sent`);
    for (const [file, target] of found) targets.set(file, target);
  }
  return targets;
}

/** Within one folder, and names that begin with a dot are like others: unlike in a shell. */
function matches(path: string, pattern: string): boolean {
  const escaped = pattern.replaceAll(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replaceAll("*", "[^/]*")}$`).test(path);
}

function intoFolder(to: string): boolean {
  return /^\.{1,2}$|\/$/.test(to);
}

/** The files of a project that a module imports, and those that they import; and the packages of all of them. */
export function importsOf(root: string, entry: string): { files: Set<string>; packages: Set<string> } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const follow = (file: string) => {
    if (files.has(file)) return;
    files.add(file);
    if (file.endsWith(".ts")) for (const specifier of runtimeImports(join(root, file))) take(file, specifier);
  };
  const take = (importer: string, specifier: string) => {
    if (specifier.startsWith(".")) follow(join(dirname(importer), specifier));
    else if (!specifier.startsWith("node:")) packages.add(packageOf(specifier));
  };
  follow(entry);
  return { files, packages };
}

/** What is left of a module's imports when its types are gone. */
function runtimeImports(file: string): string[] {
  if (!existsSync(file)) throw new Error(`${file} is imported and not there`);
  const statements = readFileSync(file, "utf8").matchAll(
    /^(?:import|export)\s(?!type\s)[\w\s{},*$]*?from\s+"([^"]+)"/gm,
  );
  return [...statements].map(([, specifier = ""]) => specifier);
}

function packageOf(specifier: string): string {
  const [scope = "", name = ""] = specifier.split("/");
  return scope.startsWith("@") ? `${scope}/${name}` : scope;
}
