import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTestHarness, type TestHarness } from "wrangler";
import { DevTokenResponse } from "../../schema/http.ts";
import { type Postgres, startPostgres } from "../../tools/postgres/start.ts";
import { fillFolder } from "./data-folder.ts";
import { Device } from "./device.ts";

export interface Person {
  readonly userId: string;
  readonly token: string;
  readonly name: string;
}

/** For tests that sign, ask as a server or check a credential themselves. */
export const SECRETS = {
  JWT_SECRET: "a-secret-of-the-tests-of-32-bytes",
  SERVER_KEY: "server-key-of-the-tests",
  SFU_NODE_KEY: "node-key-of-the-tests",
  CALL_TOKEN_SECRET: "call-tokens-of-the-tests-of-32-bytes",
  TURN_SECRET: "turn-secret-of-the-tests",
};

/** The whole Worker in workerd, its queue and an embedded Postgres: nothing of ours is mocked. */
export class Edge {
  readonly harness: TestHarness;
  readonly postgres: Postgres;
  url = "";

  readonly #dataDir: string;

  private constructor(harness: TestHarness, postgres: Postgres, dataDir: string) {
    this.harness = harness;
    this.postgres = postgres;
    this.#dataDir = dataDir;
  }

  static async start(vars: Record<string, string> = {}): Promise<Edge> {
    const dataDir = await mkdtemp(join(tmpdir(), "switchboard-edge-"));
    await fillFolder(dataDir);
    const postgres = await startPostgres({ dataDir, log: () => {} });
    const harness = createTestHarness({
      workers: [
        {
          configPath: new URL("../../wrangler.toml", import.meta.url),
          vars: {
            DEVELOPMENT: "on",
            NEON_LOCAL: postgres.neonLocal,
            LEDGER_RETRY_SECONDS: "2",
            LEDGER_BACKOFF_SECONDS: "0",
            // The tests call each other far more often than people do.
            INITIATION_BURST: "10000",
            PAIR_BURST: "10000",
            ...vars,
          },
          secrets: { DATABASE_URL: postgres.databaseUrl, ...SECRETS },
        },
      ],
    });
    const edge = new Edge(harness, postgres, dataDir);
    await edge.listen();
    return edge;
  }

  async listen(): Promise<void> {
    const { url } = await this.harness.listen();
    this.url = url.origin;
  }

  async close(): Promise<void> {
    await this.harness.close();
    await this.postgres.close();
    await rm(this.#dataDir, { recursive: true });
  }

  async person(name: string, userId: string = randomUUID()): Promise<Person> {
    const answer = await this.fetch("/api/dev/token", { method: "POST", body: JSON.stringify({ userId, name }) });
    return { ...DevTokenResponse.parse(await answer.json()), name };
  }

  /** A registered device on a user socket. */
  async device(person: Person, deviceId: string = randomUUID()): Promise<Device> {
    const device = await Device.open(`${this.ws}/ws`, person.token, person.userId, deviceId);
    await device.register();
    return device;
  }

  /** The same device on a call socket. */
  async callSocket(person: Person, device: Device, callId: string): Promise<Device> {
    const socket = await Device.open(`${this.ws}/calls/${callId}/ws`, person.token, person.userId, device.deviceId);
    await socket.register();
    return socket;
  }

  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`${this.url}${path}`, init);
  }

  /** An authenticated request. */
  async as(person: Person, path: string, init: RequestInit = {}): Promise<Response> {
    return this.fetch(path, { ...init, headers: { authorization: `Bearer ${person.token}`, ...init.headers } });
  }

  get ws(): string {
    return this.url.replace("http", "ws");
  }
}
