import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { NodeLoad, NodeStatus } from "../../../schema/fleet.ts";
import { createFleet, type Fleet, step } from "../../../workers/fleet/fleet.ts";
import { type Chances, type Placement, place, type Wanted } from "../../../workers/fleet/placement.ts";

const NOW = 1_700_000_000_000;
const SEED = 20_261_123;
const CALL = "01890000-0000-7000-8000-000000000001";
const IDLE: NodeLoad = { workers: 2, consumers: 0, cpu: 0, packetRate: 0 };

function node(nodeId: string, load: Partial<NodeLoad> | null = {}, changes: Partial<NodeStatus> = {}): NodeStatus {
  return {
    nodeId,
    region: "local",
    version: "0.1.0",
    capacity: { workers: 2, consumers: 800 },
    announcedAddress: "127.0.0.1",
    pushRelay: false,
    load: load && { ...IDLE, ...load },
    rooms: 0,
    draining: false,
    registeredAt: NOW,
    leaseUntil: NOW + 15_000,
    ...changes,
  };
}

function fleet(...nodes: NodeStatus[]): Fleet {
  const entries = nodes.map((each) => [each.nodeId, { leaseUntil: each.leaseUntil, node: each, reservations: [] }]);
  return { ...createFleet("local"), connections: Object.fromEntries(entries) };
}

const wanted = (changes: Partial<Wanted> = {}): Wanted => ({
  callId: CALL,
  epoch: 1,
  expected: 4,
  exclude: [],
  part: null,
  ...changes,
});
const chances = (first = 0, second = 0): Chances => ({ random: [first, second], joinsPerSecond: 20 });
const nodeOf = (placement: Placement) => (placement && "nodeId" in placement ? placement.nodeId : placement);

/** Places one room after the other. @returns where each went */
function placed(start: Fleet, rooms: readonly (readonly [now: number, Partial<Wanted>])[], random = chances()) {
  let now = start;
  return rooms.map(([at, changes]) => {
    const { state, placement } = place(now, wanted(changes), random, at);
    now = state;
    return nodeOf(placement);
  });
}

describe("[FLEET-1] a room goes to the better of two nodes at random", () => {
  const three = fleet(node("a", { cpu: 0.9 }), node("b", { cpu: 0.5 }), node("c", { cpu: 0.1 }));

  test.each<[string, number, number, string]>([
    ["the first two", 0, 0, "b"],
    ["the last two", 0.4, 0.9, "c"],
    ["the first and the last", 0, 0.9, "c"],
    ["the end of the range", 1, 1, "c"],
  ])("%s", (_title, first, second, expected) => {
    expect(nodeOf(place(three, wanted(), chances(first, second), NOW).placement)).toBe(expected);
  });

  test.each<[string, Partial<NodeLoad>, Partial<NodeLoad>]>([
    ["consumers", { consumers: 400 }, { consumers: 100 }],
    ["CPU", { cpu: 0.8 }, { cpu: 0.2, consumers: 300 }],
    ["packets", { packetRate: 60_000 }, { packetRate: 20_000, cpu: 0.5 }],
  ])("by what is scarcest: %s", (_title, worse, better) => {
    for (const [first, second] of [
      [0, 0],
      [0.6, 0],
    ]) {
      const { placement } = place(
        fleet(node("worse", worse), node("better", better)),
        wanted(),
        chances(first, second),
        NOW,
      );
      expect(nodeOf(placement)).toBe("better");
    }
  });

  test("the node is asked to open it", () => {
    const { commands } = place(fleet(node("a")), wanted({ epoch: 3 }), chances(), NOW);
    expect(commands).toEqual([
      { type: "send", connectionId: "a", message: { type: "room_open", callId: CALL, epoch: 3 } },
    ]);
  });
});

describe("[FLEET-1] it does not go to a node that", () => {
  test.each<[string, Fleet, Partial<Wanted>]>([
    ["is not there", fleet(), {}],
    ["is draining", fleet(node("a", {}, { draining: true })), {}],
    ["has failed this room", fleet(node("a")), { exclude: ["a"] }],
    ["has not said its load yet", fleet(node("a", null)), {}],
    ["has no worker", fleet(node("a", { workers: 0 })), {}],
    ["has lost its lease", fleet(node("a", {}, { leaseUntil: NOW })), {}],
    ["has too little room for those who are expected", fleet(node("a", { consumers: 796 })), {}],
    ["has lost a worker, and with it the room", fleet(node("a", { consumers: 394, workers: 1 })), {}],
  ])("%s", (_title, nodes, changes) => {
    const { state, placement, commands } = place(nodes, wanted(changes), chances(), NOW);
    expect([placement, commands]).toEqual([null, []]);
    expect(state).toBe(nodes);
  });

  test("but a room larger than any node takes one that is empty", () => {
    expect(placed(fleet(node("a")), [[NOW, { expected: 32 }]])).toEqual(["a"]);
    const used = node("used", { consumers: 1 });
    expect(placed(fleet(used, node("empty")), [[NOW, { expected: 32 }]])).toEqual(["empty"]);
  });

  test.each<[string, number, Partial<Wanted>, unknown]>([
    ["all of them, and more who may be invited", 700, {}, { nodeId: "a", takes: 7 }],
    ["a part, where there is none that has room for all", 780, {}, { nodeId: "a", takes: 2 }],
    ["a part of a room larger than any node", 0, { expected: 32 }, { nodeId: "a", takes: 12 }],
    ["a further part of it", 720, { expected: 32, part: 5 }, { nodeId: "a", takes: 1 }],
    ["nobody of a further part, without room", 740, { expected: 32, part: 5 }, null],
  ])("it says how many it takes: %s", (_title, consumers, changes, expected) => {
    expect(place(fleet(node("a", { consumers })), wanted(changes), chances(), NOW).placement).toEqual(expected);
  });

  test("and one that has just taken a room counts it before it is in its reports", () => {
    const almost = fleet(node("a", { consumers: 772 }));
    expect(
      placed(almost, [
        [NOW, {}],
        [NOW + 2_000, {}],
        [NOW + 11_000, {}],
      ]),
    ).toEqual(["a", null, "a"]);
  });
});

describe("[FLEET-3] joins of one node within a second are limited", () => {
  test("what is beyond goes to another node, or is told when to ask again", () => {
    const rooms = Array.from({ length: 6 }, (_, i) => [NOW + i, {}] as const);
    expect(placed(fleet(node("a")), rooms)).toEqual(["a", "a", "a", "a", "a", { retryMs: 995 }]);
    expect(placed(fleet(node("a"), node("b")), [...rooms, [NOW + 6, {}]])).not.toContainEqual({
      retryMs: expect.any(Number),
    });
  });

  test("after that time there is room again", () => {
    const rooms = [0, 1, 2, 3, 4, 1_000].map((at) => [NOW + at, {}] as const);
    expect(placed(fleet(node("a")), rooms)).toEqual(["a", "a", "a", "a", "a", "a"]);
  });

  test("a room of more people than that goes alone", () => {
    const rooms: [number, Partial<Wanted>][] = [
      [NOW, {}],
      [NOW + 1, { expected: 21 }],
      [NOW + 1_000, { expected: 21 }],
    ];
    expect(placed(fleet(node("a", {}, { capacity: { workers: 2, consumers: 9_000 } })), rooms)).toEqual([
      "a",
      { retryMs: 999 },
      "a",
    ]);
  });

  test("also after the node has dialled its fleet again", () => {
    const { nodeId, region, version, capacity, announcedAddress, pushRelay } = node("a");
    const register = {
      type: "node_register",
      nodeId,
      region,
      version,
      protocol: 1,
      capacity,
      announcedAddress,
      pushRelay,
    } as const;
    const heartbeat = { type: "node_heartbeat", load: IDLE, rooms: 0, draining: false } as const;
    const first = place(fleet(node("a")), wanted({ expected: 20 }), chances(), NOW).state;
    const opened = step(first, { type: "opened", connectionId: "new" }, NOW + 1).state;
    const registered = step(opened, { type: "message", connectionId: "new", message: register }, NOW + 1).state;
    const back = step(registered, { type: "message", connectionId: "new", message: heartbeat }, NOW + 1).state;
    expect(place(back, wanted(), chances(), NOW + 1).placement).toEqual({ retryMs: 999 });
  });
});

test("[FLEET-1] whatever the nodes and chances, a placed room fits and a room that fits somewhere is placed or told when", () => {
  const load = fc.record({ consumers: fc.nat(900), cpu: fc.constantFrom(0, 0.5, 1), packetRate: fc.nat(90_000) });
  const nodes = fc.array(fc.tuple(load, fc.boolean()), { maxLength: 5 });
  const chance = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(
      nodes,
      fc.array(fc.integer({ min: 1, max: 32 }), { maxLength: 8 }),
      chance,
      chance,
      (drawn, rooms, first, second) => {
        const all = drawn.map(([each, draining], i) => node(`n${i}`, { workers: 2, ...each }, { draining }));
        let state = fleet(...all);
        for (const expected of rooms) {
          const next = place(state, wanted({ expected }), chances(first, second), NOW);
          const chosen = all.find(({ nodeId }) => nodeId === nodeOf(next.placement));
          if (next.placement === null || "retryMs" in next.placement) expect(next.state).toBe(state);
          else expect(chosen?.draining).toBe(false);
          if (next.placement && "retryMs" in next.placement) expect(next.placement.retryMs).toBeGreaterThan(0);
          state = next.state;
        }
      },
    ),
    { seed: SEED, numRuns: 500 },
  );
});
