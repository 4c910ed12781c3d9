import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { ROOT } from "../../support/project.ts";
import { baseImage } from "./base-images.ts";
import { contextFiles, copied } from "./build-context.ts";
import { enter } from "./chroot.ts";
import { type Instruction, parseDockerfile, type Stage } from "./dockerfile.ts";

/** What an engine would start containers from. */
export interface Image {
  readonly root: string;
  readonly env: Readonly<Record<string, string>>;
  readonly workdir: string;
  readonly user: string | null;
  readonly stopSignal: string;
  readonly volumes: readonly string[];
  readonly healthcheck: readonly string[];
  readonly entrypoint: readonly string[];
}

export interface Build {
  /** Bases and finished stages are kept here. */
  readonly workDir: string;
  /** Files of this machine by the id that a RUN mounts them with; one that is not given is not there. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly log: (line: string) => void;
}

/** What a container has before its image says anything. */
const FRESH = {
  env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
  workdir: "/",
  user: null,
  stopSignal: "SIGTERM",
  volumes: [],
  healthcheck: [],
  entrypoint: [],
} as const;

/** Carries a Dockerfile of the project out, line by line. */
export async function buildImage(dockerfile: string, build: Build): Promise<Image> {
  const files = contextFiles(ROOT, dockerfile);
  const stages = new Map<string, Image>();
  let last: Image | undefined;
  for (const stage of parseDockerfile(readFileSync(join(ROOT, dockerfile), "utf8"))) {
    last = await buildStage(stage, files, stages, build);
    if (stage.name !== null) stages.set(stage.name, last);
  }
  if (!last) throw new Error(`${dockerfile} has no FROM`);
  return last;
}

async function buildStage(
  stage: Stage,
  files: readonly string[],
  stages: ReadonlyMap<string, Image>,
  build: Build,
): Promise<Image> {
  const from = stages.get(stage.from) ?? { ...FRESH, root: baseImage(stage.from, build.workDir, build.log) };
  const root = join(build.workDir, "stages", stageKey(stage, from, files, stages));
  if (existsSync(root)) {
    build.log(`FROM ${stage.from}: nothing of this stage has changed since it was last carried out`);
    return stage.instructions.reduce(configured, { ...from, root });
  }
  build.log(`FROM ${stage.from}`);
  const unfinished = `${root}.new`;
  mkdirSync(dirname(root), { recursive: true });
  rmSync(unfinished, { recursive: true, force: true });
  execFileSync("cp", ["--archive", from.root, unfinished]);
  let image: Image = { ...from, root: unfinished };
  for (const instruction of stage.instructions) {
    image = configured(image, instruction);
    if (instruction.keyword === "RUN") await run(instruction, image, build);
    if (instruction.keyword === "COPY") copy(instruction, image, files, stages, build.log);
  }
  renameSync(unfinished, root);
  return { ...image, root };
}

/** Another base, instruction or file makes another stage. */
function stageKey(stage: Stage, from: Image, files: readonly string[], stages: ReadonlyMap<string, Image>): string {
  const hash = createHash("sha256").update(from.root).update(JSON.stringify(stage.instructions));
  for (const instruction of stage.instructions) {
    if (instruction.keyword !== "COPY") continue;
    if (instruction.from !== null) hash.update(stages.get(instruction.from)?.root ?? "");
    else
      for (const file of copied(instruction.sources, instruction.to, files).keys())
        hash.update(file).update(readFileSync(join(ROOT, file)));
  }
  return hash.digest("hex").slice(0, 16);
}

function configured(image: Image, instruction: Instruction): Image {
  switch (instruction.keyword) {
    case "ENV":
      return { ...image, env: { ...image.env, ...instruction.variables } };
    case "WORKDIR":
      return { ...image, workdir: instruction.value };
    case "USER":
      return { ...image, user: instruction.value };
    case "STOPSIGNAL":
      return { ...image, stopSignal: instruction.value };
    case "VOLUME":
      return { ...image, volumes: [...image.volumes, instruction.value] };
    case "HEALTHCHECK":
      return { ...image, healthcheck: instruction.command };
    case "ENTRYPOINT":
      return { ...image, entrypoint: instruction.command };
    case "RUN":
    case "COPY":
    case "EXPOSE":
      return image;
  }
}

async function run(
  { command, secrets }: Instruction & { keyword: "RUN" },
  image: Image,
  { secrets: given, log }: Build,
): Promise<void> {
  const started = performance.now();
  const mounts: Record<string, string> = {};
  for (const { id, target } of secrets) {
    const file = given[id];
    if (file === undefined) continue;
    writeFileSync(join(image.root, target), "");
    mounts[target] = file;
  }
  mkdirSync(join(image.root, image.workdir), { recursive: true });
  const place = { ...image, env: { HOME: "/root", ...image.env }, readOnly: false, mounts };
  const child = enter(place, ["/bin/sh", "-c", command], ["ignore", "pipe", "pipe"]);
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk) => output.push(String(chunk)));
  const [code] = await once(child, "close");
  for (const target of Object.keys(mounts)) rmSync(join(image.root, target));
  if (code !== 0) throw new Error(`RUN ${command}\nended with ${code}:\n${output.join("").slice(-3_000)}`);
  log(`  RUN ${shown(command)} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
}

function copy(
  { from, sources, to }: Instruction & { keyword: "COPY" },
  image: Image,
  files: readonly string[],
  stages: ReadonlyMap<string, Image>,
  log: (line: string) => void,
): void {
  const target = isAbsolute(to) ? to : join(image.workdir, to) + (/^\.{1,2}$|\/$/.test(to) ? "/" : "");
  if (from === null) {
    for (const [file, path] of copied(sources, target, files)) {
      mkdirSync(dirname(join(image.root, path)), { recursive: true });
      cpSync(join(ROOT, file), join(image.root, path));
    }
  } else {
    const source = stages.get(from);
    if (!source) throw new Error(`COPY --from=${from}: there is no such stage`);
    copyFromStage(source.root, sources, image.root, target);
  }
  log(`  COPY ${from === null ? "" : `--from=${from} `}${sources.join(" ")} ${to}`);
}

/** A folder's content becomes that of the target; a file goes into a target that ends in "/". */
function copyFromStage(sourceRoot: string, sources: readonly string[], root: string, target: string): void {
  for (const source of sources) {
    const into = join(root, target);
    mkdirSync(target.endsWith("/") ? into : dirname(into), { recursive: true });
    execFileSync("cp", ["--archive", "--no-target-directory", join(sourceRoot, source), destination(into, source)]);
  }
}

function destination(into: string, source: string): string {
  return into.endsWith("/") ? join(into, source.slice(source.lastIndexOf("/") + 1)) : into;
}

function shown(command: string): string {
  const text = command.replaceAll(/\s+/g, " ");
  return text.length > 100 ? `${text.slice(0, 97)}...` : text;
}
