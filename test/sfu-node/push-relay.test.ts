import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { NodeRegister, PushOrder, PushSend } from "../../schema/fleet.ts";
import { PushRelay } from "../../sfu-node/push-relay.ts";
import { RegistrationSocket } from "../../sfu-node/registration.ts";
import { PATIENCE } from "../support/patience.ts";
import { ApnsGateway } from "../support/push-apns.ts";
import { FleetServer } from "./fleet-server.ts";

const log = vi.fn();
let gateway: ApnsGateway;
let relay: PushRelay;
beforeEach(async () => {
  log.mockClear();
  gateway = await ApnsGateway.start();
  relay = new PushRelay({ apnsUrl: gateway.url, ca: gateway.ca, log });
});
afterEach(async () => {
  await relay.close();
  await gateway.close();
});

/** Apple refuses it, but only once it has been there: what counts here is the way. */
function order(token = "a1b2c3"): PushOrder {
  return {
    token,
    headers: {
      authorization: "bearer of-nobody",
      "apns-push-type": "voip",
      "apns-topic": "org.example.calls.voip",
      "apns-expiration": "1790000000",
      "apns-priority": "10",
    },
    body: "{}",
  };
}

const REFUSED = { status: 403, reason: "InvalidProviderToken", retryAfter: null };
const NO_ANSWER = { status: null, reason: null, retryAfter: null };

describe("a push relay", () => {
  it("says what APNs says, over one connection for all pushes", async () => {
    const answers = await Promise.all(["a1", "b2", "c3"].map((token) => relay.send(order(token))));
    expect([...answers, await relay.send(order())]).toEqual(Array.from({ length: 4 }, () => REFUSED));
    expect(gateway.connections).toBe(1);
  });

  it("dials again when APNs has sent it away", async () => {
    await relay.send(order());
    gateway.goAway();
    await vi.waitFor(async () => {
      expect(await relay.send(order())).toEqual(REFUSED);
      expect(gateway.connections).toBe(2);
    }, PATIENCE);
  });

  it("says that there was no answer while APNs is gone, and dials again once it is back", async () => {
    await relay.send(order());
    await gateway.close();
    expect(await relay.send(order())).toEqual(NO_ANSWER);
    await gateway.startAgain();
    expect(await relay.send(order())).toEqual(REFUSED);
  });

  it("trusts nobody who cannot show that it is APNs", async () => {
    const wary = new PushRelay({ apnsUrl: gateway.url, log });
    expect(await wary.send(order())).toEqual(NO_ANSWER);
    expect(log).toHaveBeenCalledWith("push_relay_failed", { problem: expect.stringContaining("certificate") });
    await wary.close();
  });
});

describe("a node that relays", () => {
  const node: NodeRegister = {
    type: "node_register",
    nodeId: "0190a000-0000-7000-8000-00000000000a",
    region: "local",
    version: "0.1.0",
    protocol: 1,
    capacity: { workers: 1, consumers: 400 },
    announcedAddress: "127.0.0.1",
    pushRelay: true,
  };
  const measure = async () => ({
    load: { workers: 1, consumers: 0, cpu: 0, packetRate: 0 },
    rooms: 0,
    draining: false,
  });

  it("answers each push on its registration socket, by the push's id", async () => {
    const fleet = await FleetServer.start();
    const send = relay.send.bind(relay);
    const about = {
      edgeUrl: new URL(fleet.url),
      nodeKey: "key",
      node,
      measure,
      log,
      onRoom: () => {},
      onDrain: () => {},
    };
    const registration = new RegistrationSocket({ ...about, relay: send });
    registration.start();
    const connection = await fleet.connection();
    expect(await connection.register({ heartbeatMs: 60_000, leaseMs: 180_000 })).toMatchObject({ pushRelay: true });
    await connection.heartbeat();
    const pushes = ["a", "b"].map((id): PushSend => {
      return { type: "push_send", id: `0190a000-0000-7000-8000-00000000000${id}`, ...order() };
    });
    for (const push of pushes) connection.send(push);
    const answers = [await connection.next(), await connection.next()];
    const expected = pushes.map(({ id }) => ({ type: "push_result", id, ...REFUSED }));
    expect(answers).toEqual(expect.arrayContaining(expected));
    await registration.close();
    await fleet.close();
  });
});
