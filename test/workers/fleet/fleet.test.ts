import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NODE_HEARTBEAT_MS, NODE_LEASE_MS, type NodeRegister } from "../../../schema/fleet.ts";
import {
  type Command,
  createFleet,
  type Event,
  type Fleet,
  nextDeadline,
  nodes,
  step,
} from "../../../workers/fleet/fleet.ts";

const NODE_A = "0190a000-0000-7000-8000-00000000000a";
const NODE_B = "0190a000-0000-7000-8000-00000000000b";

const registration: NodeRegister = {
  type: "node_register",
  nodeId: NODE_A,
  region: "local",
  version: "0.1.0",
  protocol: 1,
  capacity: { workers: 2, consumers: 800 },
  announcedAddress: "127.0.0.1",
  pushRelay: false,
};
const load = { workers: 2, consumers: 3, cpu: 0.25, packetRate: 120 };

const opened = (connectionId: string): Event => ({ type: "opened", connectionId });
const closed = (connectionId: string): Event => ({ type: "closed", connectionId });
const register = (connectionId: string, changes: Partial<NodeRegister> = {}): Event => ({
  type: "message",
  connectionId,
  message: { ...registration, ...changes },
});
const heartbeat = (connectionId: string): Event => ({
  type: "message",
  connectionId,
  message: { type: "node_heartbeat", load, rooms: 4, draining: false },
});
const TIME: Event = { type: "time_passed" };

/** Runs events given as [ms, event] from an empty fleet. */
function run(events: readonly (readonly [number, Event])[]): {
  fleet: Fleet;
  commands: Command[];
  last: readonly Command[];
} {
  let fleet = createFleet("local");
  const commands: Command[] = [];
  let last: readonly Command[] = [];
  for (const [now, event] of events) {
    const result = step(fleet, event, now);
    fleet = result.state;
    last = result.commands;
    commands.push(...result.commands);
  }
  return { fleet, commands, last };
}

const REGISTERED = { type: "node_registered", leaseMs: NODE_LEASE_MS, heartbeatMs: NODE_HEARTBEAT_MS };
const LEASE = { type: "node_lease", leaseMs: NODE_LEASE_MS };
const sent = (connectionId: string, message: object) => ({ type: "send", connectionId, message });
const refused = (connectionId: string, code: string) =>
  sent(connectionId, { type: "error", code, message: expect.any(String) });
const closing = (connectionId: string, code: number) => ({
  type: "close",
  connectionId,
  code,
  reason: expect.any(String),
});

describe("the fleet, transition by transition", () => {
  const rows: [string, [number, Event][], unknown[], string[]][] = [
    ["opened: nothing is said, nobody is registered", [[0, opened("1")]], [], []],
    [
      "opened -> registered",
      [
        [0, opened("1")],
        [1, register("1")],
      ],
      [sent("1", REGISTERED)],
      [NODE_A],
    ],
    [
      "opened -> heartbeat is refused",
      [
        [0, opened("1")],
        [1, heartbeat("1")],
      ],
      [refused("1", "forbidden")],
      [],
    ],
    [
      "opened -> a protocol of another version is refused",
      [
        [0, opened("1")],
        [1, register("1", { protocol: 2 })],
      ],
      [refused("1", "unsupported")],
      [],
    ],
    [
      "opened -> a node of another region is refused",
      [
        [0, opened("1")],
        [1, register("1", { region: "mars" })],
      ],
      [refused("1", "bad_message")],
      [],
    ],
    [
      "opened -> silent for a lease -> closed",
      [
        [0, opened("1")],
        [15_000, TIME],
      ],
      [closing("1", 4001)],
      [],
    ],
    [
      "registered -> heartbeat renews the lease",
      [
        [0, opened("1")],
        [0, register("1")],
        [14_999, heartbeat("1")],
        [29_998, TIME],
      ],
      [],
      [NODE_A],
    ],
    [
      "registered -> heartbeat is answered with the lease",
      [
        [0, opened("1")],
        [0, register("1")],
        [5_000, heartbeat("1")],
      ],
      [sent("1", LEASE)],
      [NODE_A],
    ],
    [
      "registered -> silent for a lease -> closed and forgotten",
      [
        [0, opened("1")],
        [0, register("1")],
        [15_000, TIME],
      ],
      [closing("1", 4001)],
      [],
    ],
    [
      "registered -> a heartbeat that comes too late is not heard",
      [
        [0, opened("1")],
        [0, register("1")],
        [15_000, heartbeat("1")],
      ],
      [closing("1", 4001)],
      [],
    ],
    [
      "registered -> socket closed",
      [
        [0, opened("1")],
        [0, register("1")],
        [1, closed("1")],
      ],
      [],
      [],
    ],
    [
      "registered -> the same node on a newer socket replaces the older",
      [
        [0, opened("1")],
        [0, register("1")],
        [1, opened("2")],
        [2, register("2")],
      ],
      [closing("1", 4000), sent("2", REGISTERED)],
      [NODE_A],
    ],
    [
      "replaced -> the close of the older socket does not touch the newer",
      [
        [0, opened("1")],
        [0, register("1")],
        [1, opened("2")],
        [2, register("2")],
        [3, closed("1")],
      ],
      [],
      [NODE_A],
    ],
    [
      "replaced -> the older socket is not heard any more",
      [
        [0, opened("1")],
        [0, register("1")],
        [1, opened("2")],
        [2, register("2")],
        [3, register("1")],
      ],
      [],
      [NODE_A],
    ],
    [
      "registered twice on one socket keeps one node",
      [
        [0, opened("1")],
        [0, register("1")],
        [1, register("1")],
      ],
      [sent("1", REGISTERED)],
      [NODE_A],
    ],
    [
      "two nodes are two",
      [
        [0, opened("1")],
        [0, opened("2")],
        [1, register("1")],
        [1, register("2", { nodeId: NODE_B })],
      ],
      [sent("2", REGISTERED)],
      [NODE_A, NODE_B],
    ],
    ["an unknown socket that closes changes nothing", [[0, closed("9")]], [], []],
  ];

  it.each(rows)("%s", (_title, events, commands, registered) => {
    const { fleet, last } = run(events);
    expect(last).toEqual(commands);
    const now = events.at(-1)?.[0] ?? 0;
    expect(nodes(fleet, now).map(({ nodeId }) => nodeId)).toEqual(registered);
  });

  it("shows a node with what it last reported", () => {
    const { fleet } = run([
      [0, opened("1")],
      [100, register("1")],
      [5_100, heartbeat("1")],
    ]);
    expect(nodes(fleet, 5_100)).toEqual([
      {
        nodeId: NODE_A,
        region: "local",
        version: "0.1.0",
        capacity: { workers: 2, consumers: 800 },
        announcedAddress: "127.0.0.1",
        pushRelay: false,
        load,
        rooms: 4,
        draining: false,
        registeredAt: 100,
        leaseUntil: 20_100,
      },
    ]);
  });

  it("does not show a node whose lease ran out, even before the alarm has swept it", () => {
    const { fleet } = run([
      [0, opened("1")],
      [0, register("1")],
    ]);
    expect(nodes(fleet, 14_999)).toHaveLength(1);
    expect(nodes(fleet, 15_000)).toHaveLength(0);
  });

  it("has its deadline at the first lease that ends, and none when nobody is connected", () => {
    expect(nextDeadline(createFleet("local"))).toBeNull();
    const { fleet } = run([
      [0, opened("1")],
      [0, register("1")],
      [4_000, opened("2")],
      [9_000, heartbeat("1")],
    ]);
    expect(nextDeadline(fleet)).toBe(19_000);
  });
});

describe("the fleet under any order of events", () => {
  const connectionId = fc.constantFrom("1", "2", "3", "4");
  const event: fc.Arbitrary<Event> = fc.oneof(
    connectionId.map(opened),
    fc.tuple(connectionId, fc.constantFrom(NODE_A, NODE_B)).map(([id, nodeId]) => register(id, { nodeId })),
    connectionId.map(heartbeat),
    connectionId.map(closed),
    fc.constant(TIME),
  );
  const history = fc.array(fc.tuple(fc.integer({ min: 0, max: 8_000 }), event), { maxLength: 60 });

  /** Each step of a history: what was, what happened, what is. */
  function replay(steps: readonly (readonly [number, Event])[]) {
    let fleet = createFleet("local");
    let now = 0;
    return steps.map(([later, next]) => {
      const before = fleet;
      now += later;
      const { state, commands } = step(before, next, now);
      fleet = state;
      return { before, event: next, now, state, commands };
    });
  }

  it("lists a node once, never past its lease, and always has a deadline for it", () => {
    fc.assert(
      fc.property(history, (steps) => {
        for (const { state, now } of replay(steps)) {
          const listed = nodes(state, now);
          expect(new Set(listed.map(({ nodeId }) => nodeId)).size).toBe(listed.length);
          const leases = Object.values(state.connections).map(({ leaseUntil }) => leaseUntil - now);
          expect(leases.every((left) => left > 0 && left <= NODE_LEASE_MS)).toBe(true);
          expect(nextDeadline(state)).toBe(leases.length === 0 ? null : now + Math.min(...leases));
        }
      }),
      { seed: 20_261, numRuns: 500 },
    );
  });

  it("closes every socket that it forgets on its own, and answers none that it has forgotten", () => {
    fc.assert(
      fc.property(history, (steps) => {
        for (const { before, event, state, commands } of replay(steps)) {
          const left = event.type === "closed" ? event.connectionId : null;
          const forgotten = Object.keys(before.connections).filter((id) => !(id in state.connections) && id !== left);
          expect(idsOf(commands, "close")).toEqual(expect.arrayContaining(forgotten));
          for (const id of idsOf(commands, "send")) expect(state.connections).toHaveProperty(id);
        }
      }),
      { seed: 20_262, numRuns: 500 },
    );
  });
});

function idsOf(commands: readonly Command[], type: Command["type"]): string[] {
  return commands.flatMap((command) => (command.type === type ? [command.connectionId] : []));
}
