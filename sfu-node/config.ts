import { availableParallelism } from "node:os";
import * as z from "zod";
import { Region } from "../schema/fleet.ts";
import { MAX_PARTICIPANTS } from "../schema/limits.ts";

/** A port to listen on; 0 takes any free one. */
const Port = z.coerce.number().int().min(0).max(65_535);
const PortRange = z
  .string()
  .regex(/^\d{1,5}-\d{1,5}$/, "first-last")
  .transform((text) => {
    const [min = 0, max = 0] = text.split("-").map(Number);
    return { min, max };
  })
  .refine(({ min, max }) => min <= max && max <= 65_535, "the first port is at most the last, which is at most 65535");
const LOCAL = "local";
/** More workers than this on one machine share its network card, not its cores. */
const MAX_WORKERS = 32;
const ANY_ADDRESS: readonly string[] = ["0.0.0.0", "::"];

/** The environment of an SFU node. */
const Environment = z
  .object({
    /** Where the edge is: http, https, ws or wss. */
    SWITCHBOARD_EDGE_URL: z.url({ protocol: /^(https?|wss?)$/ }),
    /** The key that the edge knows as SFU_NODE_KEY. */
    SFU_NODE_KEY: z.string().min(1),
    /** The fleet that the node joins. */
    SFU_REGION: Region.default(LOCAL),
    /** mediasoup workers, one core each. By default one in the region "local", else one per core. */
    SFU_WORKERS: z.coerce.number().int().min(1).max(MAX_WORKERS).optional(),
    /** Consumers that one worker forwards at 1 Mbps: what a core was measured to do. Placement counts with it. */
    SFU_CONSUMERS_PER_WORKER: z.coerce.number().int().positive().default(400),
    /** The address that media is received on. */
    SFU_LISTEN_IP: z.union([z.ipv4(), z.ipv6()]).default("127.0.0.1"),
    /** Where clients send media, where that is not the address above: a public IP or a host name. */
    ANNOUNCED_ADDRESS: z.string().min(1).max(255).optional(),
    /** UDP and TCP port of the first worker, each further worker has the next one; 0 takes any free ones. */
    SFU_RTC_PORT: Port.default(40_000),
    /** UDP ports of the pipes to other nodes, which cannot share the one above: "first-last". */
    SFU_PIPE_PORTS: PortRange.default({ min: 41_000, max: 41_999 }),
    /** Videos that each participant is sent who does not say what they want: of those who spoke last. */
    SFU_LAST_N: z.coerce.number().int().min(0).max(MAX_PARTICIPANTS).default(MAX_PARTICIPANTS),
    /** How long a node that is told to stop goes on with its rooms, until they are elsewhere. */
    SFU_DRAIN_SECONDS: z.coerce.number().int().min(0).max(86_400).default(120),
    /** The address and port of `/health/live` and `/health/ready`. */
    HEALTH_HOST: z.string().min(1).default("127.0.0.1"),
    HEALTH_PORT: Port.default(8_788),
    /** Whether the node also takes the edge's pushes to APNs, which speaks only HTTP/2. */
    PUSH_RELAY: z.enum(["on", "off"]).default("off"),
    /** Where APNs is; for apps from Xcode https://api.sandbox.push.apple.com. */
    APNS_URL: z.url({ protocol: /^https$/ }).default("https://api.push.apple.com"),
    /** mediasoup's worker; without it, the one that mediasoup's npm package has installed. */
    MEDIASOUP_WORKER_BIN: z.string().min(1).optional(),
  })
  .refine((env) => env.ANNOUNCED_ADDRESS !== undefined || !ANY_ADDRESS.includes(env.SFU_LISTEN_IP), {
    path: ["ANNOUNCED_ADDRESS"],
    message: "is needed when SFU_LISTEN_IP is every address: clients must be told one",
  })
  .refine((env) => env.SFU_RTC_PORT + (env.SFU_WORKERS ?? MAX_WORKERS) <= 65_536, {
    path: ["SFU_RTC_PORT"],
    message: "leaves no room for a port for each worker",
  });

export interface Config {
  readonly edgeUrl: URL;
  readonly nodeKey: string;
  readonly region: Region;
  readonly workers: number;
  readonly consumersPerWorker: number;
  readonly listenIp: string;
  readonly announcedAddress: string;
  readonly rtcPort: number;
  readonly pipePorts: { readonly min: number; readonly max: number };
  readonly lastN: number;
  readonly drainMs: number;
  readonly healthHost: string;
  readonly healthPort: number;
  /** Where the node takes pushes to; null if it relays none. */
  readonly apnsUrl: URL | null;
  readonly workerBin: string | null;
}

/** The environment is not one that a node can run with; the message names each variable, and no value. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** @throws ConfigError */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  // An empty variable is one that is not set: compose files and shells cannot tell the two apart.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));
  const parsed = Environment.safeParse(given);
  if (!parsed.success) throw new ConfigError(parsed.error.issues.map(describe).join("; "));
  const values = parsed.data;
  return {
    edgeUrl: new URL(values.SWITCHBOARD_EDGE_URL),
    nodeKey: values.SFU_NODE_KEY,
    region: values.SFU_REGION,
    workers: values.SFU_WORKERS ?? defaultWorkers(values.SFU_REGION),
    consumersPerWorker: values.SFU_CONSUMERS_PER_WORKER,
    listenIp: values.SFU_LISTEN_IP,
    announcedAddress: values.ANNOUNCED_ADDRESS ?? values.SFU_LISTEN_IP,
    rtcPort: values.SFU_RTC_PORT,
    pipePorts: values.SFU_PIPE_PORTS,
    lastN: values.SFU_LAST_N,
    drainMs: values.SFU_DRAIN_SECONDS * 1_000,
    healthHost: values.HEALTH_HOST,
    healthPort: values.HEALTH_PORT,
    apnsUrl: values.PUSH_RELAY === "on" ? new URL(values.APNS_URL) : null,
    workerBin: values.MEDIASOUP_WORKER_BIN ?? null,
  };
}

function defaultWorkers(region: Region): number {
  return region === LOCAL ? 1 : Math.min(availableParallelism(), MAX_WORKERS);
}

function describe({ path, message }: z.core.$ZodIssue): string {
  return `${path.join(".")}: ${message}`;
}
