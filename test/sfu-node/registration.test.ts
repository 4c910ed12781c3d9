import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { NodeRegister } from "../../schema/fleet.ts";
import { RegistrationSocket } from "../../sfu-node/registration.ts";
import { FleetServer } from "./fleet-server.ts";

const node: NodeRegister = {
  type: "node_register",
  nodeId: "0190a000-0000-7000-8000-00000000000a",
  region: "local",
  version: "0.1.0",
  protocol: 1,
  capacity: { workers: 1, consumers: 400 },
  announcedAddress: "127.0.0.1",
  pushRelay: false,
};
const report = { load: { workers: 1, consumers: 0, cpu: 0.1, packetRate: 0 }, rooms: 0, draining: false };
/** Long enough never to pass within a test. */
const CALM = { heartbeatMs: 60_000, leaseMs: 180_000 };

const log = vi.fn();
let fleet: FleetServer;
let registration: RegistrationSocket;

beforeEach(async () => {
  log.mockClear();
  fleet = await FleetServer.start();
  registration = dialTo(fleet.url);
});

afterEach(async () => {
  await registration.close();
  await fleet.close();
});

function dialTo(url: string): RegistrationSocket {
  return new RegistrationSocket({
    edgeUrl: new URL(url),
    nodeKey: "the-node-key",
    node,
    measure: async () => report,
    onRoom: () => {},
    onDrain: () => {},
    log,
  });
}

const logged = () => log.mock.calls.map(([event]) => event);

describe("a node that dials its edge", () => {
  it("names its region, shows its key, and registers", async () => {
    registration.start();
    const connection = await fleet.connection();
    expect(connection.request.url).toBe("/sfu/nodes?region=local");
    expect(connection.request.headers.authorization).toBe("Bearer the-node-key");
    expect(await connection.register(CALM)).toEqual(node);
    expect(await connection.heartbeat()).toEqual({ type: "node_heartbeat", ...report });
    expect(registration.isRegistered).toBe(true);
    expect(log).toHaveBeenCalledWith("sfu_registered", { node: node.nodeId.slice(-8), region: "local", workers: 1 });
  });

  it("heartbeats as often as the fleet asks, for as long as its lease is renewed", async () => {
    registration.start();
    const connection = await fleet.connection();
    await connection.register({ heartbeatMs: 10, leaseMs: 5_000 });
    for (let beats = 0; beats < 5; beats++) {
      await connection.heartbeat();
      connection.send({ type: "node_lease", leaseMs: 5_000 });
    }
    expect(logged()).toEqual(["sfu_registered"]);
  });

  it("reports a changed load at once", async () => {
    registration.start();
    const connection = await fleet.connection();
    await connection.register(CALM);
    await connection.heartbeat();
    registration.reportNow();
    expect(await connection.heartbeat()).toMatchObject(report);
  });

  it("stays registered when a heartbeat was refused", async () => {
    registration.start();
    const connection = await fleet.connection();
    await connection.register(CALM);
    await connection.heartbeat();
    connection.send({ type: "error", code: "bad_message", message: "whatever" });
    registration.reportNow();
    await connection.heartbeat();
    expect(registration.isRegistered).toBe(true);
  });
});

describe("a node that lost its edge comes back", () => {
  it("when the socket is closed", async () => {
    registration.start();
    const first = await fleet.connection();
    await first.register(CALM);
    first.close(4001);
    const second = await fleet.connection();
    expect(await second.register(CALM)).toEqual(node);
    await second.heartbeat();
    expect(logged()).toEqual(["sfu_registered", "sfu_disconnected", "sfu_registered"]);
  });

  it("when the connection breaks", async () => {
    registration.start();
    const first = await fleet.connection();
    await first.register(CALM);
    await first.heartbeat();
    first.crash();
    await (await fleet.connection()).register(CALM);
  });

  it("when the edge is silent for a whole lease", async () => {
    registration.start();
    const first = await fleet.connection();
    await first.register({ heartbeatMs: 60_000, leaseMs: 50 });
    const second = await fleet.connection();
    expect(await second.register(CALM)).toEqual(node);
    expect(await first.closed).toBe(1000);
  });

  it("when it was refused, by status or by message", async () => {
    fleet.refuse(401);
    registration.start();
    const first = await fleet.connection();
    await first.next();
    first.send({ type: "error", code: "unsupported", message: "this fleet speaks protocol 2" });
    await (await fleet.connection()).register(CALM);
    expect(log).toHaveBeenCalledWith("sfu_socket_failed", { problem: "Unexpected server response: 401" });
    expect(log).toHaveBeenCalledWith("sfu_refused", { code: "unsupported", problem: "this fleet speaks protocol 2" });
    expect(JSON.stringify(log.mock.calls)).not.toContain("the-node-key");
  });

  it("when there was no edge at first", async () => {
    const { port } = fleet;
    await fleet.close();
    registration.start();
    await expect.poll(logged).toContain("sfu_socket_failed");
    fleet = await FleetServer.start(port);
    await (await fleet.connection()).register(CALM);
  });
});

describe("a node that stops", () => {
  it("closes its socket cleanly and does not come back", async () => {
    registration.start();
    const connection = await fleet.connection();
    await connection.register(CALM);
    await connection.heartbeat();
    await registration.close();
    expect(await connection.closed).toBe(1000);
    expect(registration.isRegistered).toBe(false);
  });

  it("while it dials, leaves without a word", async () => {
    registration.start();
    await registration.close();
    expect(logged()).toEqual([]);
  });
});
