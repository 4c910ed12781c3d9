import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  type FleetMessage,
  NODE_LEASE_MS,
  PUSH_RELAY_MS,
  type PushOrder,
  type PushSend,
  parseFleetFrame,
} from "../../../schema/fleet.ts";
import { app } from "../../../workers/http/app.ts";
import { PATIENCE } from "../../support/patience.ts";

afterEach(() => {
  vi.useRealTimers();
});

const order: PushOrder = {
  token: "a1b2c3",
  headers: {
    authorization: "bearer jwt",
    "apns-push-type": "voip",
    "apns-topic": "org.example.calls.voip",
    "apns-expiration": "1790000000",
    "apns-priority": "10",
  },
  body: "{}",
};
const ANSWER = { status: 410, reason: "Unregistered", retryAfter: null };
const NO_ANSWER = { status: null, reason: null, retryAfter: null };

interface RelayNode {
  readonly socket: WebSocket;
  readonly pushes: PushSend[];
}

/** A node that is registered, and keeps the pushes that it is to relay. */
async function dial(region: string, pushRelay = true): Promise<RelayNode> {
  const headers = { upgrade: "websocket", authorization: `Bearer ${env.SFU_NODE_KEY}` };
  const { webSocket } = await app.fetch(new Request(`https://edge.test/sfu/nodes?region=${region}`, { headers }), env);
  if (!webSocket) throw new Error("no socket in the upgrade");
  const heard: FleetMessage[] = [];
  const pushes: PushSend[] = [];
  webSocket.addEventListener("message", ({ data }) => {
    const message = parseFleetFrame(String(data));
    if (message) heard.push(message);
    if (message?.type === "push_send") pushes.push(message);
  });
  webSocket.accept();
  const about = { region, version: "0.1.0", protocol: 1, capacity: { workers: 1, consumers: 1 } };
  const nodeId = crypto.randomUUID();
  webSocket.send(JSON.stringify({ type: "node_register", nodeId, announcedAddress: "127.0.0.1", pushRelay, ...about }));
  await expect.poll(() => heard).toMatchObject([{ type: "node_registered" }]);
  return { socket: webSocket, pushes };
}

async function pushAt(node: RelayNode, count = 1): Promise<PushSend> {
  const push = await vi.waitUntil(() => node.pushes[count - 1], PATIENCE);
  return push;
}

function answer({ socket }: RelayNode, { id }: PushSend): void {
  socket.send(JSON.stringify({ type: "push_result", id, ...ANSWER }));
}

describe("a push to APNs", () => {
  it("goes to a node that relays, and its answer comes back", async () => {
    const fleet = env.FLEET.getByName("relays");
    await dial("relays", false);
    const relay = await dial("relays");
    const answered = fleet.push(order);
    const push = await pushAt(relay);
    expect(push).toEqual({ type: "push_send", id: expect.any(String), ...order });
    answer(relay, push);
    expect(await answered).toEqual(ANSWER);
  });

  it("is nobody's in a region without a relay, or with one whose lease has run out", async () => {
    const fleet = env.FLEET.getByName("lone");
    await dial("lone", false);
    expect(await fleet.push(order)).toBeNull();
    await dial("lone");
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + NODE_LEASE_MS });
    expect(await fleet.push(order)).toBeNull();
  });

  it("is spread over the relays", async () => {
    const fleet = env.FLEET.getByName("spread");
    const relays = [await dial("spread"), await dial("spread")];
    const answered = Promise.all([fleet.push(order), fleet.push(order)]);
    for (const relay of relays) answer(relay, await pushAt(relay));
    expect(await answered).toEqual([ANSWER, ANSWER]);
  });

  it("is answered only by the node that was asked", async () => {
    const fleet = env.FLEET.getByName("other");
    const relay = await dial("other");
    const other = await dial("other", false);
    const answered = fleet.push(order);
    const push = await pushAt(relay);
    other.socket.send(JSON.stringify({ type: "push_result", id: push.id, ...ANSWER, status: 200 }));
    other.socket.send(JSON.stringify({ type: "push_result", id: crypto.randomUUID(), ...ANSWER, status: 200 }));
    await dial("other", false);
    answer(relay, push);
    expect(await answered).toEqual(ANSWER);
  });

  it("has no answer when its node leaves", async () => {
    const fleet = env.FLEET.getByName("leaves");
    const relay = await dial("leaves");
    const answered = fleet.push(order);
    await pushAt(relay);
    relay.socket.close(1000, "done");
    expect(await answered).toEqual(NO_ANSWER);
  });

  it("has no answer when its node is silent for too long", async () => {
    const fleet = env.FLEET.getByName("silent");
    const relay = await dial("silent");
    const asked = Date.now();
    const answered = fleet.push(order);
    await pushAt(relay);
    expect(await answered).toEqual(NO_ANSWER);
    expect(Date.now() - asked).toBeGreaterThanOrEqual(PUSH_RELAY_MS - 50);
  });
});
