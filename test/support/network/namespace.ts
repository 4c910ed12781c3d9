import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { command } from "./command.ts";

/** Whose they are is in the name: what a killed run has left is found by the next one. */
const OURS = /^switchboard-(\d+)-/;

/** A kernel without IPv6 has no such files. */
const WITHOUT_IPV6 = `cd /proc/sys/net/ipv6/conf || exit 0
  echo 1 > all/disable_ipv6
  echo 1 > default/disable_ipv6`;

/** Locally administered (IEEE 802); each bridge is in a network of its own. */
const BRIDGE_MAC = "02:00:00:00:00:01";

let count = 0;

/** A machine of its own as far as the network goes (network_namespaces(7)). Only root may make one. */
export class Namespace {
  readonly name: string;

  private constructor(name: string) {
    this.name = name;
  }

  static async create(role: string): Promise<Namespace> {
    const namespace = new Namespace(`switchboard-${process.pid}-${count++}-${role}`);
    await command("ip", ["netns", "add", namespace.name]);
    // An IPv6 address of the link would come a second after it, and a browser drops what it loads when one comes.
    await namespace.run("sh", ["-c", WITHOUT_IPV6]);
    await namespace.ip("link set lo up");
    return namespace;
  }

  /** A command of ip(8), its words separated by spaces. */
  async ip(words: string): Promise<void> {
    await command("ip", ["-n", this.name, ...words.split(" ")]);
  }

  /** Replaces what nftables does here. */
  async filter(ruleset: string): Promise<void> {
    await this.run("nft", ["-f", "-"], `flush ruleset\n${ruleset}`);
  }

  async run(name: string, args: readonly string[], input?: string): Promise<string> {
    return command("ip", ["netns", "exec", this.name, name, ...args], input);
  }

  /** The process keeps the id of what is returned: ip(8) becomes it. */
  spawn(name: string, args: readonly string[], options: SpawnOptions): ChildProcess {
    return spawn("ip", ["netns", "exec", this.name, name, ...args], options);
  }

  /** A switch: what is plugged into it with `cable` is one network. */
  async bridge(name: string, ...addresses: readonly string[]): Promise<void> {
    // Of its own: else it is that of a plug, another one when that is taken out, and nobody finds the bridge for a while.
    await this.ip(`link add ${name} address ${BRIDGE_MAC} type bridge`);
    for (const address of addresses) await this.ip(`address add ${address} dev ${name}`);
    await this.ip(`link set ${name} up`);
  }
}

/** One end of a cable. */
export interface Plug {
  readonly at: Namespace;
  readonly name: string;
  /** The bridge that it is plugged into. */
  readonly bridge?: string;
  /** With the length of the prefix. */
  readonly address?: string;
}

/** Connects two machines. Taking away either end takes away both. */
export async function cable(...[one, other]: readonly [Plug, Plug]): Promise<void> {
  const peer = `peer name ${other.name} netns ${other.at.name}`;
  await command("ip", `link add ${one.name} netns ${one.at.name} type veth ${peer}`.split(" "));
  for (const { at, name, bridge, address } of [one, other]) {
    if (bridge !== undefined) await at.ip(`link set ${name} master ${bridge}`);
    if (address !== undefined) await at.ip(`address add ${address} dev ${name}`);
    await at.ip(`link set ${name} up`);
  }
}

/** @returns why there can be no namespaces here; null where there can be */
export async function hindrance(): Promise<string | null> {
  if (process.platform !== "linux") return `network namespaces are Linux's, and this is ${process.platform}`;
  if (process.getuid?.() !== 0) return "only root may make network namespaces";
  try {
    const namespace = await Namespace.create("probe");
    await namespace.filter("table ip probe { chain post { type nat hook postrouting priority srcnat; }; }");
    await remove(namespace.name);
    return null;
  } catch (error) {
    return `network namespaces are not permitted: ${error instanceof Error ? error.message : error}`;
  }
}

/** Those of runs that are over, with whatever still runs in them. */
export async function removeStale(): Promise<void> {
  await removeThose((owner) => !isAlive(owner));
}

/** All that this process has made. */
export async function removeOwn(): Promise<void> {
  await removeThose((owner) => owner === process.pid);
}

async function removeThose(where: (owner: number) => boolean): Promise<void> {
  const names = (await command("ip", ["netns", "list"])).split("\n").map((line) => line.split(" ", 1)[0] ?? "");
  const found = names.filter((name) => {
    const owner = OURS.exec(name)?.[1];
    return owner !== undefined && where(Number(owner));
  });
  // Another run may have seen the same.
  await Promise.allSettled(found.map(remove));
}

/** With everything that runs in it. */
async function remove(name: string): Promise<void> {
  const pids = (await command("ip", ["netns", "pids", name])).split("\n").filter((line) => line !== "");
  for (const pid of pids) end(Number(pid));
  await command("ip", ["netns", "delete", name]);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function end(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}
