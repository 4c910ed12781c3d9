import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { CLOSE_ROOM_OVER, CLOSE_STALE_EPOCH, type FromNode } from "../../schema/room-socket.ts";
import { ensureMediasoupWorker } from "../../tools/setup/mediasoup-worker.ts";
import { family } from "../support/processes.ts";
import { LibdatachannelStack } from "../support/stack-libdatachannel.ts";
import { type FleetConnection, FleetServer, type RoomSocketServer } from "./fleet-server.ts";
import { NodeProcess } from "./node-process.ts";

const BUILD_MS = 600_000;
const CALM = { heartbeatMs: 60_000, leaseMs: 180_000 };
const KEY = "a-key-nobody-may-read";
const CALL = "0190a000-0000-7000-8000-000000000001";
const P1 = { id: "1", participantId: "p1" };

let workerBin = "";
let fleet: FleetServer;
let node: NodeProcess;
let registration: FleetConnection;
let nodeId = "";

beforeAll(async () => {
  workerBin = await ensureMediasoupWorker({ log: () => {} });
}, BUILD_MS);

beforeEach(async () => {
  fleet = await FleetServer.start();
  node = new NodeProcess({ SWITCHBOARD_EDGE_URL: fleet.url, SFU_NODE_KEY: KEY, MEDIASOUP_WORKER_BIN: workerBin });
  registration = await fleet.connection();
  const registered = await registration.register(CALM);
  nodeId = registered.type === "node_register" ? registered.nodeId : "";
  await registration.heartbeat();
});

afterEach(async () => {
  node.child.kill("SIGKILL");
  await node.exited;
  await fleet.close();
});

/** A room that is placed on the node, whose socket is up. */
async function placed(epoch: number): Promise<RoomSocketServer> {
  registration.send({ type: "room_open", callId: CALL, epoch });
  return fleet.room();
}

async function next(room: RoomSocketServer, isIt: (message: FromNode) => boolean): Promise<FromNode> {
  for (;;) {
    const message = await room.next();
    if (isIt(message)) return message;
  }
}

function signalWorker(signal: NodeJS.Signals): void {
  const worker = family(node.child.pid ?? 0).find(({ command }) => command.includes("mediasoup-worker"));
  if (!worker) throw new Error("the node has no worker");
  process.kill(worker.pid, signal);
}

async function expectAlive(room: RoomSocketServer, id: string): Promise<void> {
  room.send({ type: "room_probe", id });
  expect(await room.next()).toEqual({ type: "room_alive", re: id });
}

describe("a room on a node", () => {
  it("dials its call with the node's key and the epoch, and answers on that socket", async () => {
    const room = await placed(3);
    expect(room.request.url).toBe(`/sfu/rooms/${CALL}?epoch=3&nodeId=${nodeId}`);
    expect(room.request.headers.authorization).toBe(`Bearer ${KEY}`);
    await expectAlive(room, "1");
    room.send({ type: "participant_join", id: "2", participantId: "p1", sdp: "v=0", tracks: [], muted: [] });
    expect(await room.next()).toMatchObject({ type: "room_error", re: "2", participantId: "p1", code: "bad_message" });
    await expectAlive(room, "3");
  });

  it("dials again with the same epoch when its socket is lost: the edge was redeployed, the media is here", async () => {
    const room = await placed(1);
    room.crash();
    const again = await fleet.room();
    expect(again.request.url).toContain("epoch=1");
    await expectAlive(again, "1");
    await node.line("room_opened");
    expect(node.lines.filter(({ event }) => event === "room_opened").length).toBe(1);
  });

  it("[ROOM-18] says again on a new socket who sends what: the edge kept it with the old one", async () => {
    const room = await placed(1);
    const stack = new LibdatachannelStack("p1");
    room.send({ type: "participant_join", ...P1, sdp: await stack.offer(), tracks: [], muted: [] });
    const isTracks = ({ type }: FromNode) => type === "participant_tracks";
    const told = await next(room, isTracks);
    expect(told).toMatchObject({ participantId: "p1", tracks: [{ source: "microphone" }, { source: "camera" }] });
    room.crash();
    expect(await next(await fleet.room(), isTracks)).toEqual(told);
    await stack.close();
  });

  it.each([
    ["the epoch is over", CLOSE_STALE_EPOCH],
    ["the call is over", CLOSE_ROOM_OVER],
  ])("ends when %s, and may be placed here again", async (_why, code) => {
    const room = await placed(1);
    room.close(code);
    await node.line("room_closed");
    const next = await placed(2);
    expect(next.request.url).toContain("epoch=2");
  });

  it("is not opened for an epoch that is not newer", async () => {
    const room = await placed(2);
    registration.send({ type: "room_open", callId: CALL, epoch: 1 });
    await expectAlive(room, "1");
    await node.line("room_opened");
    expect(node.lines.filter(({ event }) => event === "room_opened").length).toBe(1);
  });

  it("closes its socket when its mediasoup worker dies, and the node can take it again", async () => {
    const room = await placed(1);
    await expectAlive(room, "1");
    signalWorker("SIGKILL");
    await room.closed;
    await node.line("sfu_worker_replaced");
    await expectAlive(await placed(2), "2");
  });

  it("[ROOM-15] says nothing while its mediasoup worker is frozen, and lives again with it", async () => {
    const room = await placed(1);
    await node.line("room_opened");
    signalWorker("SIGSTOP");
    room.send({ type: "room_probe", id: "frozen" });
    room.send({ type: "participant_leave", participantId: "nobody" });
    await room.taken();
    expect(room.waiting).toBe(0);
    signalWorker("SIGCONT");
    expect(await room.next()).toEqual({ type: "room_alive", re: "frozen" });
  });

  it("takes no other room along when its worker dies with work under way", async () => {
    const room = await placed(1);
    const stack = new LibdatachannelStack("p1");
    room.send({ type: "participant_join", ...P1, sdp: await stack.offer(), tracks: [], muted: [] });
    await next(room, ({ type }) => type === "participant_joined");
    signalWorker("SIGSTOP");
    room.send({ type: "participant_update", participantId: "p1", muted: ["microphone"] });
    await room.taken();
    signalWorker("SIGKILL");
    await room.closed;
    await node.line("sfu_worker_replaced");
    await expectAlive(await placed(2), "2");
    await stack.close();
  });

  it("closes its socket when it cannot be opened, and the node can take it again", async () => {
    signalWorker("SIGSTOP");
    const room = await placed(1);
    room.send({ type: "participant_leave", participantId: "p1" });
    await room.taken();
    signalWorker("SIGKILL");
    await room.closed;
    await node.line("sfu_worker_replaced");
    await expectAlive(await placed(2), "2");
  });

  it("is over once, whatever becomes of its worker later", async () => {
    const room = await placed(1);
    await node.line("room_opened");
    room.close(CLOSE_ROOM_OVER);
    await node.line("room_closed");
    signalWorker("SIGKILL");
    await node.line("sfu_worker_replaced");
    expect(node.lines.filter(({ event }) => event === "room_closed").length).toBe(1);
  });
});

describe("a node that is told to stop", () => {
  it.each<[string, () => void]>([
    ["by a signal", () => node.child.kill("SIGTERM")],
    ["[FLEET-4] by the operator", () => registration.send({ type: "node_drain" })],
  ])("%s says that it drains, asks for its rooms to be moved, and ends when they are", async (_title, tell) => {
    const room = await placed(1);
    await node.line("room_opened");
    tell();
    expect(await room.next()).toEqual({ type: "room_draining", deadlineMs: 120_000 });
    expect(await registration.heartbeat()).toMatchObject({ draining: true, rooms: 1 });
    registration.send({ type: "room_open", callId: CALL.replace("1", "2"), epoch: 1 });
    await expectAlive(room, "1");
    room.close(CLOSE_STALE_EPOCH);
    expect(await node.exited).toBe(0);
    expect(node.lines.filter(({ event }) => event === "room_opened").length).toBe(1);
  });
});
