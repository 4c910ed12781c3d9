import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { NODE_LEASE_MS, type NodeRegister, parseFleetFrame } from "../../../schema/fleet.ts";
import { app } from "../../../workers/http/app.ts";

const NODE = "0190a000-0000-7000-8000-00000000000a";
const load = { workers: 1, consumers: 2, cpu: 0.5, packetRate: 90 };

/** A region of its own for each test, so that none sees another's nodes. */
let region = "";
let tests = 0;

afterEach(() => {
  vi.useRealTimers();
});

function request(init: { key?: string; region?: string | null; upgrade?: boolean } = {}): Request {
  const { key = env.SFU_NODE_KEY, upgrade = true } = init;
  const query = init.region === null ? "" : `?region=${init.region ?? region}`;
  const headers = new Headers(upgrade ? { upgrade: "websocket" } : {});
  if (key !== "") headers.set("authorization", `Bearer ${key}`);
  return new Request(`https://edge.test/sfu/nodes${query}`, { headers });
}

interface NodeSocket {
  /** Sends a frame, if one is given, and takes the next answer. */
  ask(frame: string | object): Promise<ReturnType<typeof parseFleetFrame>>;
  next(): Promise<ReturnType<typeof parseFleetFrame>>;
  readonly closed: Promise<{ code: number; reason: string }>;
  close(): void;
}

async function dial(): Promise<NodeSocket> {
  const response = await app.fetch(request(), env);
  expect(response.status).toBe(101);
  const socket = response.webSocket;
  if (!socket) throw new Error("no socket in the upgrade");
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.addEventListener("close", ({ code, reason }) => resolve({ code, reason }));
  });
  socket.accept();
  const next: NodeSocket["next"] = () =>
    new Promise((resolve) => {
      const heard = (event: MessageEvent) => resolve(parseFleetFrame(String(event.data)));
      socket.addEventListener("message", heard, { once: true });
    });
  return {
    closed,
    close: () => socket.close(1000, "done"),
    next,
    ask: (frame) => {
      const answer = next();
      socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
      return answer;
    },
  };
}

function registration(changes: Partial<NodeRegister> = {}): NodeRegister {
  return {
    type: "node_register",
    nodeId: NODE,
    region,
    version: "0.1.0",
    protocol: 1,
    capacity: { workers: 1, consumers: 400 },
    announcedAddress: "127.0.0.1",
    pushRelay: false,
    ...changes,
  };
}

const heartbeat = { type: "node_heartbeat", load, rooms: 1 };
const fleet = () => env.FLEET.getByName(region);
const listed = async () => (await fleet().nodes()).map(({ nodeId }) => nodeId);

/** Stops the clock, which objects share, and moves it; alarms do not run by it. */
function pass(ms: number): void {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });
}

describe("a node registers", () => {
  it("and is listed with what it reports", async () => {
    region = `registers-${++tests}`;
    const node = await dial();
    expect(await node.ask(registration())).toEqual({ type: "node_registered", leaseMs: 15_000, heartbeatMs: 5_000 });
    expect(await node.ask(heartbeat)).toEqual({ type: "node_lease", leaseMs: 15_000 });
    expect(await fleet().nodes()).toEqual([expect.objectContaining({ nodeId: NODE, region, load, rooms: 1 })]);
  });

  it("in its own region only", async () => {
    region = `mars-${++tests}`;
    const node = await dial();
    await node.ask(registration());
    region = `venus-${tests}`;
    expect(await listed()).toEqual([]);
  });

  it("again on a newer socket: the older one is closed, the node stays", async () => {
    region = `newer-${++tests}`;
    const older = await dial();
    await older.ask(registration());
    const newer = await dial();
    await newer.ask(registration());
    expect((await older.closed).code).toBe(4000);
    expect(await listed()).toEqual([NODE]);
    expect(await newer.ask(heartbeat)).toEqual({ type: "node_lease", leaseMs: 15_000 });
  });

  it("and is gone once its socket closes", async () => {
    region = `closes-${++tests}`;
    const node = await dial();
    await node.ask(registration());
    node.close();
    await expect.poll(listed).toEqual([]);
  });
});

describe("[FLEET-4] the operator", () => {
  const wanted = { callId: NODE, epoch: 1, expected: 2, exclude: [], part: null };
  const order = (method: string, path: string, key = env.SERVER_KEY) => {
    const asked = new Request(`https://edge.test${path}`, { method, headers: { authorization: `Bearer ${key}` } });
    return app.fetch(asked, { ...env, SFU_REGIONS: `elsewhere, ${region}` });
  };
  const drain = (nodeId = NODE) => order("POST", `/api/admin/nodes/${nodeId}/drain`);

  it("drains a node, which is told, and gets no room from then on", async () => {
    region = `drains-${++tests}`;
    const node = await dial();
    await node.ask(registration());
    await node.ask(heartbeat);
    const told = node.next();
    expect((await drain()).status).toBe(204);
    expect(await told).toEqual({ type: "node_drain" });
    expect(await fleet().place(wanted)).toBeNull();
    expect(await (await order("GET", "/api/admin/nodes")).json()).toMatchObject({
      nodes: [{ nodeId: NODE, region, rooms: 1, draining: true, load }],
    });
  });

  it("is told of a node that is not registered, or not any more", async () => {
    region = `gone-${++tests}`;
    const node = await dial();
    await node.ask(registration());
    expect((await drain(NODE.replace("a", "b"))).status).toBe(404);
    expect((await drain("nonsense")).status).toBe(400);
    pass(NODE_LEASE_MS);
    expect((await drain()).status).toBe(404);
  });

  it("is who has the server key: a node has not", async () => {
    region = `keys-${++tests}`;
    const node = await dial();
    await node.ask(registration());
    const asked = await order("POST", `/api/admin/nodes/${NODE}/drain`, env.SFU_NODE_KEY);
    expect([asked.status, (await fleet().nodes())[0]?.draining]).toEqual([401, false]);
  });
});

describe("a silent node", () => {
  it("is no longer listed when its lease has run out", async () => {
    region = `silent-${++tests}`;
    const node = await dial();
    await node.ask(registration());
    pass(NODE_LEASE_MS);
    expect(await listed()).toEqual([]);
  });

  it("is closed by the alarm, which is then at rest", async () => {
    region = `alarm-${++tests}`;
    const node = await dial();
    await node.ask(registration());
    pass(NODE_LEASE_MS);
    expect(await runDurableObjectAlarm(fleet())).toBe(true);
    expect(await node.closed).toEqual({ code: 4001, reason: "the lease ran out" });
    expect(await runDurableObjectAlarm(fleet())).toBe(false);
  });

  it("does not take along one that is heard", async () => {
    region = `heard-${++tests}`;
    pass(0);
    const [silent, heard] = [await dial(), await dial()];
    const other = NODE.replace(/a$/, "b");
    await silent.ask(registration());
    await heard.ask(registration({ nodeId: other }));
    pass(NODE_LEASE_MS - 1);
    await heard.ask(heartbeat);
    pass(1);
    await runDurableObjectAlarm(fleet());
    expect((await silent.closed).code).toBe(4001);
    expect(await listed()).toEqual([other]);
    const alarmAt = await runInDurableObject(fleet(), (_object, state) => state.storage.getAlarm());
    expect(alarmAt).toBe(Date.now() + NODE_LEASE_MS - 1);
  });
});

describe("an eviction", () => {
  it("forgets no node, and the socket goes on", async () => {
    region = `evicted-${++tests}`;
    const node = await dial();
    await node.ask(registration());
    await node.ask(heartbeat);
    const before = await fleet().nodes();
    await evictDurableObject(fleet());
    expect(await fleet().nodes()).toEqual(before);
    expect(await node.ask(heartbeat)).toEqual({ type: "node_lease", leaseMs: 15_000 });
  });

  it("does not bring back a node that a newer socket replaced", async () => {
    region = `replaced-${++tests}`;
    const older = await dial();
    await older.ask(registration());
    const newer = await dial();
    await newer.ask(registration({ version: "0.2.0" }));
    await evictDurableObject(fleet());
    expect(await fleet().nodes()).toEqual([expect.objectContaining({ nodeId: NODE, version: "0.2.0" })]);
  });

  it("that closes the sockets leaves no node behind", async () => {
    region = `closed-${++tests}`;
    const node = await dial();
    await node.ask(registration());
    await evictDurableObject(fleet(), { webSockets: "close" });
    expect(await listed()).toEqual([]);
  });
});

describe("bad frames get a typed error on a socket that stays open", () => {
  it.each([
    ["no JSON", "{", "bad_message"],
    ["no object", "[1]", "bad_message"],
    ["an unknown type", { type: "node_dance" }, "unsupported"],
    ["a missing field", { type: "node_register", nodeId: NODE }, "bad_message"],
    ["a load beyond its range", { ...heartbeat, load: { ...load, cpu: 7 } }, "bad_message"],
    ["a frame too large", { ...heartbeat, padding: "x".repeat(20_000) }, "too_large"],
    ["a heartbeat before the registration", heartbeat, "forbidden"],
    ["another protocol", { type: "node_register", protocol: 99 }, "bad_message"],
  ])("%s", async (_title, frame, code) => {
    region = `bad-${++tests}`;
    const node = await dial();
    const answer = await node.ask(frame);
    expect(answer).toEqual({ type: "error", code, message: expect.any(String) });
    expect(await node.ask(registration())).toMatchObject({ type: "node_registered" });
  });

  it("a protocol that this fleet does not speak", async () => {
    region = `protocol-${++tests}`;
    const node = await dial();
    expect(await node.ask(registration({ protocol: 99 }))).toMatchObject({ type: "error", code: "unsupported" });
    expect(await node.ask(registration())).toMatchObject({ type: "node_registered" });
  });
});

describe("refused before the upgrade", () => {
  it.each([
    ["no key", { key: "" }, 401, "unauthorized"],
    ["a wrong key", { key: "wrong" }, 401, "unauthorized"],
    ["a wrong key of the same length", { key: "x".repeat(21) }, 401, "unauthorized"],
    ["no upgrade", { upgrade: false }, 426, "bad_message"],
    ["no region", { region: null }, 400, "bad_message"],
    ["a region that is no name", { region: "../x" }, 400, "bad_message"],
  ])("%s", async (_title, init, status, code) => {
    region = `refused-${++tests}`;
    const response = await app.fetch(request(init), env);
    expect(response.status).toBe(status);
    expect(response.webSocket).toBeNull();
    expect(await response.json()).toEqual({ error: { code, message: expect.any(String) } });
  });

  it("everybody, where no node key is set", async () => {
    region = `unset-${++tests}`;
    const response = await app.fetch(request({ key: "anything" }), { ...env, SFU_NODE_KEY: "" });
    expect(response.status).toBe(401);
  });
});
