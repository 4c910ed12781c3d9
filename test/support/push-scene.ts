import { randomUUID } from "node:crypto";
import { eq } from "drizzle-orm";
import { expect, vi } from "vitest";
import { callPushes } from "../../schema/db/tables.ts";
import type { NodeRegister } from "../../schema/fleet.ts";
import { DevicesResponse } from "../../schema/http.ts";
import type { PushToken } from "../../schema/push-token.ts";
import { PushRelay } from "../../sfu-node/push-relay.ts";
import { RegistrationSocket } from "../../sfu-node/registration.ts";
import { openDatabase } from "../../workers/ledger/database.ts";
import type { Device } from "./device.ts";
import { Edge, type Person, SECRETS } from "./edge.ts";
import { PATIENCE } from "./patience.ts";
import { ApnsGateway } from "./push-apns.ts";
import { FcmGateway } from "./push-fcm.ts";
import { WebPushGateway } from "./push-web.ts";

/** An edge with all push providers, and a node that relays to APNs. */
export class PushScene {
  readonly edge: Edge;
  readonly apns: ApnsGateway;
  readonly fcm: FcmGateway;
  readonly web: WebPushGateway;
  readonly #relay: PushRelay;
  readonly #node: RegistrationSocket;

  private constructor(edge: Edge, apns: ApnsGateway, fcm: FcmGateway, web: WebPushGateway) {
    this.edge = edge;
    this.apns = apns;
    this.fcm = fcm;
    this.web = web;
    this.#relay = new PushRelay({ apnsUrl: apns.url, ca: apns.ca, log: () => {} });
    this.#node = new RegistrationSocket({
      edgeUrl: new URL(edge.url),
      nodeKey: SECRETS.SFU_NODE_KEY,
      node: relayNode(),
      measure: async () => ({ load: { workers: 1, consumers: 0, cpu: 0, packetRate: 0 }, rooms: 0, draining: false }),
      onRoom: () => {},
      onDrain: () => {},
      relay: this.#relay.send.bind(this.#relay),
      log: () => {},
    });
  }

  static async start(): Promise<PushScene> {
    const [apns, fcm, web] = await Promise.all([ApnsGateway.start(), FcmGateway.start(), WebPushGateway.start()]);
    const edge = await Edge.start({ ...apns.vars, ...fcm.vars, ...web.vars });
    const scene = new PushScene(edge, apns, fcm, web);
    await scene.#relays();
    return scene;
  }

  /** The only node that relays goes while this is played. */
  async withoutRelay(play: () => Promise<void>): Promise<void> {
    await this.#node.close();
    await play().finally(() => this.#relays());
  }

  async #relays(): Promise<void> {
    this.#node.start();
    await vi.waitUntil(() => this.#node.isRegistered, PATIENCE);
  }

  async close(): Promise<void> {
    await this.#node.close();
    await this.#relay.close();
    await this.edge.close();
    await Promise.all([this.apns.close(), this.fcm.close(), this.web.close()]);
  }

  /** A device with a socket and a push token. */
  async online(person: Person, push: PushToken): Promise<Device> {
    const device = await this.edge.device(person);
    await this.register(person, device.deviceId, push);
    return device;
  }

  /** A device whose app is not running. @returns its id */
  async offline(person: Person, push: PushToken): Promise<string> {
    const device = await this.online(person, push);
    await device.close();
    const isConnected = async () => (await this.device(person, device.deviceId))?.connected;
    await expect.poll(isConnected).toBe(false);
    return device.deviceId;
  }

  async register(person: Person, deviceId: string, push: PushToken): Promise<void> {
    const init = { method: "PUT", body: JSON.stringify(push) };
    expect((await this.edge.as(person, `/api/devices/${deviceId}/push-token`, init)).status).toBe(204);
  }

  async device(person: Person, deviceId: string): Promise<DevicesResponse["devices"][number] | undefined> {
    const answer = await this.edge.as(person, "/api/devices");
    return DevicesResponse.parse(await answer.json()).devices.find((device) => device.deviceId === deviceId);
  }

  /** The receipts of a call's pushes in Postgres, as `purpose result attempts`, once they are these. */
  async receipts(callId: string, expected: readonly string[]): Promise<void> {
    const { databaseUrl, neonLocal } = this.edge.postgres;
    const db = openDatabase({ DATABASE_URL: databaseUrl, NEON_LOCAL: neonLocal });
    const rows = () => db.select().from(callPushes).where(eq(callPushes.callId, callId));
    const said = async () =>
      (await rows()).map(({ provider, purpose, result, attempts }) => `${provider} ${purpose} ${result} ${attempts}`);
    await expect.poll(async () => (await said()).sort()).toEqual([...expected].sort());
  }

  /** Everything was as the providers want it. */
  get refusals(): string[] {
    return [this.apns, this.fcm, this.web].flatMap(({ refusals }) => refusals);
  }
}

function relayNode(): NodeRegister {
  return {
    type: "node_register",
    nodeId: randomUUID(),
    region: "local",
    version: "0.1.0",
    protocol: 1,
    capacity: { workers: 1, consumers: 1 },
    announcedAddress: "127.0.0.1",
    pushRelay: true,
  };
}
