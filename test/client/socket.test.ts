import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ReconnectingSocket, type SocketOptions } from "../../client/socket.ts";
import { ScriptedEdge } from "../support/scripted-edge.ts";

const userId = "a0000000-0000-4000-8000-000000000001";
const deviceId = "a0000000-0000-4000-8000-0000000000d1";
const callId = "0192a000-0000-7000-8000-000000000001";

let edge: ScriptedEdge;
const open: ReconnectingSocket[] = [];
beforeEach(async () => {
  edge = await ScriptedEdge.start();
});
afterEach(async () => {
  for (const socket of open.splice(0)) socket.close();
  vi.useRealTimers();
  await edge.stop();
});

function dial(options: Partial<SocketOptions> = {}) {
  const socket = new ReconnectingSocket({
    url: `${edge.url.replace("http", "ws")}/ws`,
    token: async () => "a.b.c",
    register: () => ({ deviceId, deviceType: "Web" }),
    platform: { WebSocket, random: () => 0, now: Date.now },
    onRegistered: () => {},
    onMessage: () => {},
    ...options,
  });
  open.push(socket);
  socket.open();
  return socket;
}

test("the token travels as a subprotocol and the device registers first", async () => {
  const socket = dial();
  socket.send({ type: "call_sync", callId });
  const connection = await edge.connection("/ws");
  expect(connection.protocols).toEqual(["switchboard.v1", "bearer.a.b.c"]);
  expect(await connection.next("register")).toMatchObject({ deviceId, deviceType: "Web" });
  expect(connection.received).toEqual([]);
  connection.send({ type: "registered", userId, deviceId, seq: 1, heartbeatMs: 20_000, calls: [] });
  expect(await connection.next("call_sync")).toMatchObject({ callId });
});

test("a broken connection comes back with a fresh token, and knows that it was here", async () => {
  const tokens = ["first", "second"];
  const resumed: boolean[] = [];
  dial({ token: async () => tokens.shift() ?? "none", onRegistered: (_message, isResumed) => resumed.push(isResumed) });
  const first = await edge.registered("/ws", userId);
  first.close();
  const second = await edge.connection("/ws");
  expect(second.protocols).toContain("bearer.second");
  await second.next("register");
  second.send({ type: "registered", userId, deviceId, seq: 1, heartbeatMs: 20_000, calls: [] });
  await expect.poll(() => resumed).toEqual([false, true]);
});

test("what is no token, and cannot travel as one, is asked for again", async () => {
  const tokens = ["no token", "a.b.c"];
  dial({ token: async () => tokens.shift() ?? "none" });
  const connection = await edge.connection("/ws");
  expect(connection.protocols).toContain("bearer.a.b.c");
});

test("a token that cannot be had is asked for again", async () => {
  let asked = 0;
  const token = async () => {
    asked++;
    if (asked < 3) throw new Error("the app's server is away");
    return "third";
  };
  dial({ token });
  expect((await edge.connection("/ws")).protocols).toContain("bearer.third");
});

test("a refused registration is a broken connection", async () => {
  dial();
  const first = await edge.connection("/ws");
  await first.next("register");
  first.send({ type: "error", code: "internal", message: "try again" });
  expect(await (await edge.connection("/ws")).next("register")).toMatchObject({ deviceId });
});

test.each([
  [4000, "replaced"],
  [4001, "removed"],
] as const)("after the close code %i it stays away: %s", async (code, reason) => {
  const closed = new Promise((resolve) => {
    dial({ onStatus: (status, why) => status === "closed" && resolve(why) });
  });
  (await edge.registered("/ws", userId)).close(code);
  expect(await closed).toBe(reason);
});

test("a path on which no pong comes is given up 10 s after the heartbeat", async () => {
  const statuses: string[] = [];
  const socket = dial({ onStatus: (status) => statuses.push(status) });
  const connection = await edge.connection("/ws");
  await connection.next("register");
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "setTimeout", "clearTimeout"] });
  connection.send({ type: "registered", userId, deviceId, seq: 1, heartbeatMs: 20_000, calls: [] });
  socket.send({ type: "call_sync", callId });
  await connection.next("call_sync");

  vi.advanceTimersByTime(20_000);
  await connection.ping();
  vi.advanceTimersByTime(9_999);
  expect(statuses).toEqual(["connecting", "open"]);
  vi.advanceTimersByTime(1);
  expect(statuses).toEqual(["connecting", "open", "waiting"]);
});

test("a pong keeps the connection", async () => {
  const statuses: string[] = [];
  let hear = () => {};
  const heard = new Promise<void>((resolve) => {
    hear = resolve;
  });
  const socket = dial({ onStatus: (status) => statuses.push(status), onMessage: () => hear() });
  const connection = await edge.connection("/ws");
  await connection.next("register");
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "setTimeout", "clearTimeout"] });
  connection.send({ type: "registered", userId, deviceId, seq: 1, heartbeatMs: 20_000, calls: [] });
  socket.send({ type: "call_sync", callId });
  await connection.next("call_sync");

  vi.advanceTimersByTime(20_000);
  await connection.ping();
  connection.sendRaw("pong");
  connection.send({ type: "presence", userId, status: "online", lastSeen: null });
  await heard;
  vi.advanceTimersByTime(19_999);
  expect(statuses).toEqual(["connecting", "open"]);
});

test("frames of a newer protocol, and what is none, are passed over", async () => {
  const heard: string[] = [];
  dial({ onMessage: ({ type }) => heard.push(type) });
  const connection = await edge.registered("/ws", userId);
  connection.sendRaw("{ not json");
  connection.sendRaw(JSON.stringify({ type: "from_the_future" }));
  connection.sendRaw(JSON.stringify({ type: "presence", userId: 7 }));
  connection.send({ type: "presence", userId, status: "online", lastSeen: null });
  await expect.poll(() => heard).toEqual(["presence"]);
});

describe("a path in doubt", () => {
  async function opened() {
    const statuses: string[] = [];
    const isOpen = Promise.withResolvers<void>();
    const onRegistered = () => isOpen.resolve();
    const socket = dial({ onStatus: (status) => statuses.push(status), onRegistered });
    const connection = await edge.registered("/ws", userId);
    await isOpen.promise;
    return { socket, connection, statuses };
  }

  test("that the server answers on within a second stays", async () => {
    const { socket, connection, statuses } = await opened();
    const verified = socket.verify(true);
    await connection.ping();
    connection.sendRaw("pong");
    await verified;
    expect(statuses).toEqual(["connecting", "open"]);
  });

  test("on which nothing comes for a second is replaced, and who waits goes on with the new one", async () => {
    const { socket, statuses } = await opened();
    const asked = performance.now();
    const verified = socket.verify(false);
    await edge.registered("/ws", userId);
    await verified;
    expect(performance.now() - asked).toBeGreaterThanOrEqual(990);
    expect(statuses).toEqual(["connecting", "open", "waiting", "connecting", "open"]);
  });

  test("that was being dialled before the device moved is dialled anew at once", async () => {
    const socket = dial();
    await (await edge.connection("/ws")).next("register");
    const verified = socket.verify(true);
    await edge.registered("/ws", userId);
    await verified;
    expect(socket.status).toBe("open");
  });

  test("is nobody's concern once the socket is closed", async () => {
    const { socket } = await opened();
    const verified = socket.verify(false);
    socket.close();
    await verified;
    await socket.verify(true);
  });
});
