import { once } from "node:events";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { ensureMediasoupWorker } from "../../../tools/setup/mediasoup-worker.ts";
import { NodeProcess } from "../../sfu-node/node-process.ts";
import { Edge, SECRETS } from "../../support/edge.ts";
import { StackInCall } from "../../support/stack-in-call.ts";
import { LibdatachannelStack } from "../../support/stack-libdatachannel.ts";
import { TappedEdge } from "../../support/tapped-edge.ts";

const BUILD_MS = 600_000;
const WITHIN = { interval: 200 };
const NAMES = ["Ada", "Bob", "Cid", "Dee"] as const;
type Name = (typeof NAMES)[number];

let workerBin = "";
beforeAll(async () => {
  workerBin = await ensureMediasoupWorker({ log: () => {} });
}, BUILD_MS);

interface MediaNode {
  readonly node: NodeProcess;
  readonly tap: TappedEdge;
}

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function startEdge(vars: Record<string, string> = {}): Promise<Edge> {
  const edge = await Edge.start(vars);
  closing.push(() => edge.close());
  return edge;
}

async function startNode(edge: Edge, env: Record<string, string>): Promise<MediaNode> {
  const tap = await TappedEdge.open(edge.ws);
  const about = { SWITCHBOARD_EDGE_URL: tap.url, SFU_NODE_KEY: SECRETS.SFU_NODE_KEY, MEDIASOUP_WORKER_BIN: workerBin };
  const node = new NodeProcess({ ...about, SFU_WORKERS: "1", ...env });
  closing.push(async () => {
    node.child.kill("SIGKILL");
    await node.exited;
    tap.close();
  });
  await expect.poll(async () => (await node.health("/health/ready")).status, WITHIN).toBe(200);
  return { node, tap };
}

/** All four in one group call, and in its room, one after another. */
async function talk(edge: Edge, rttsOf: (name: Name) => Record<string, number>): Promise<StackInCall[]> {
  const people = await Promise.all(NAMES.map(async (name) => ({ name, person: await edge.person(name) })));
  const devices = await Promise.all(people.map(({ person }) => edge.device(person)));
  const [caller, ...callees] = devices;
  const calleeIds = callees.map(({ userId }) => userId);
  const reply = await caller?.ask({
    type: "call_initiate",
    idempotencyKey: crypto.randomUUID(),
    calleeIds,
    callType: "group",
  });
  if (reply?.type !== "call_initiated") throw new Error(`no call: ${reply?.type}`);
  const { callId } = reply;
  for (const device of callees) await device.next("incoming_call");
  const all: StackInCall[] = [];
  for (const [i, { name, person }] of people.entries()) {
    const about = { edge, person, deviceId: devices[i]?.deviceId ?? "", callId };
    const open = () => new LibdatachannelStack(`${name} ${crypto.randomUUID()}`);
    const one = await StackInCall.open(about, rttsOf(name), open);
    closing.push(() => one.close());
    all.push(one);
  }
  for (const one of all.slice(1)) one.answer();
  for (const one of all) {
    await expect
      .poll(() => one.heard.some(({ type }) => type === "call_connected" || type === "call_state"), WITHIN)
      .toBe(true);
    one.join();
    await expect.poll(() => one.heard.some(({ type }) => type === "room_joined"), WITHIN).toBe(true);
  }
  return all;
}

/** Each gets what each of the others sends, and goes on getting it. */
async function expectAllToGetAll(all: readonly StackInCall[]): Promise<void> {
  for (const one of all) {
    // Whose node has died comes back as somebody else, maybe while this is looked at.
    const expected = () => {
      const others = all.filter((other) => other !== one).map(({ participantId }) => participantId);
      return others.flatMap((id) => [`${id} camera`, `${id} microphone`]);
    };
    let before = new Map<string, number>();
    const rising = async () => {
      const now = new Map((await one.got()).map((got) => [`${got.participantId} ${got.source}`, got.packets]));
      const risen = [...now].flatMap(([key, packets]) => (packets > (before.get(key) ?? 0) ? [key] : []));
      before = now;
      return risen;
    };
    const wrong = async () => {
      const [risen, due] = [await rising(), expected()];
      return [...risen.filter((key) => !due.includes(key)), ...due.filter((key) => !risen.includes(key))];
    };
    await expect.poll(wrong, { ...WITHIN, message: `what ${one.name} gets wrongly, or does not get` }).toEqual([]);
  }
}

/** Who is on the node. */
function peopleOn({ tap }: MediaNode): string[] {
  return tap.said.flatMap((message) => (message.type === "participant_joined" ? [message.participantId] : []));
}

/** What it sent through its pipes, each as often as it did. */
function crossedFrom({ tap }: MediaNode): string[] {
  const tracks = tap.said.flatMap((message) =>
    message.type === "pipe_track" ? [`${message.participantId} ${message.source}`] : [],
  );
  return tracks.sort();
}

function expectEachTrackToCrossOnce(node: MediaNode): void {
  const expected = peopleOn(node).flatMap((id) => [`${id} camera`, `${id} microphone`]);
  expect(crossedFrom(node)).toEqual(expected.sort());
}

describe("a room over several nodes", () => {
  test("[ROOM-19] spans two when one has no room for all: everybody gets everybody, and each track crosses once", async () => {
    const edge = await startEdge();
    // In a room of four each of its people costs a node eight consumers.
    const small = { SFU_CONSUMERS_PER_WORKER: "16" };
    const nodes = [await startNode(edge, small), await startNode(edge, small)] as const;
    const all = await talk(edge, () => ({}));
    await expectAllToGetAll(all);
    expect(nodes.map((node) => peopleOn(node).length)).toEqual([2, 2]);
    for (const node of nodes) expectEachTrackToCrossOnce(node);
  });

  test("[ROOM-20] goes on when one of them dies: its people come to the other, and those who were there stay", async () => {
    const edge = await startEdge();
    const small = { SFU_CONSUMERS_PER_WORKER: "16" };
    const nodes = [await startNode(edge, small), await startNode(edge, small)] as const;
    const all = await talk(edge, () => ({}));
    await expectAllToGetAll(all);
    const [dying, staying] = nodes;
    const stay = peopleOn(staying);
    const heard = new Map(all.map((one) => [one, one.heard.length]));
    dying.node.child.kill("SIGKILL");
    await expect.poll(() => peopleOn(staying).length, WITHIN).toBe(4);
    await expectAllToGetAll(all);
    for (const one of all.filter(({ participantId }) => stay.includes(participantId))) {
      const since = one.heard.slice(heard.get(one));
      expect(since.filter(({ type }) => ["recover", "room_moved"].includes(type))).toEqual([]);
    }
    expect(all.filter(({ participantId }) => stay.includes(participantId))).toHaveLength(2);
  });

  test("[ROOM-20] goes on when one of them is to stop: its people come to the other, and then it ends", async () => {
    const edge = await startEdge();
    const small = { SFU_CONSUMERS_PER_WORKER: "16" };
    const nodes = [await startNode(edge, small), await startNode(edge, small)] as const;
    const all = await talk(edge, () => ({}));
    await expectAllToGetAll(all);
    const [stopping, staying] = nodes;
    const leaving = peopleOn(stopping);
    const ended = once(stopping.node.child, "exit");
    stopping.node.child.kill("SIGTERM");
    await expect.poll(() => peopleOn(staying).length, WITHIN).toBe(4);
    await ended;
    expect(stopping.tap.left.sort()).toEqual(leaving.sort());
    await expectAllToGetAll(all);
  });

  test("[ROOM-19] spans two regions when somebody is far from the others", async () => {
    const edge = await startEdge({ SFU_REGIONS: "eu@50.1,8.7 us@39.0,-77.5" });
    const eu = await startNode(edge, { SFU_REGION: "eu" });
    const us = await startNode(edge, { SFU_REGION: "us" });
    const all = await talk(edge, (name) => (name === "Dee" ? { eu: 110, us: 10 } : { eu: 10, us: 110 }));
    await expectAllToGetAll(all);
    const idOf = (name: Name) => all.find((one) => one.name === name)?.participantId;
    expect(peopleOn(eu).sort()).toEqual([idOf("Ada"), idOf("Bob"), idOf("Cid")].sort());
    expect(peopleOn(us)).toEqual([idOf("Dee")]);
    for (const node of [eu, us]) expectEachTrackToCrossOnce(node);
  });
});
