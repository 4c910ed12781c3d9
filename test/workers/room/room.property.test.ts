import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isInside, memberOf, nodesOf } from "../../../workers/room/members.ts";
import { pairedWith } from "../../../workers/room/pairing.ts";
import { type Conditions, type Happening, PEOPLE, World } from "./room-world.ts";

/** Fixed, so that a failure is found again; a seed that once failed is added as a scenario of its own. */
const SEED = 20_261_123;
const RUNS = 2_000;

const who = fc.nat({ max: PEOPLE.length - 1 });
const which = fc.nat({ max: 9 });

const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("asks" as const), who, what: fc.constant("join" as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("asks" as const),
      who,
      what: fc.constantFrom("join an old one" as const, "offer" as const, "answer" as const, "mute" as const),
    }),
  },
  { weight: 4, arbitrary: fc.constantFrom<Happening[]>({ kind: "all is said" }, { kind: "everybody joins" }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("nodes dial" as const, "nodes work" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("fleet answers" as const),
      how: fc.constantFrom("node" as const, "none" as const, "busy" as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("comes" as const, "goes" as const), who }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("loses its path" as const), who }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom("connects with the other" as const, "loses the other" as const),
      who,
    }),
  },
  { weight: 1, arbitrary: fc.constant<Happening>({ kind: "all but two go" }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        "node dies" as const,
        "node freezes" as const,
        "node comes" as const,
        "node drains" as const,
      ),
      which,
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("node says" as const),
      which,
      what: fc.constantFrom(
        "tracks" as const,
        "speaks" as const,
        "speaks" as const,
        "lost" as const,
        "offers" as const,
      ),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("time passes" as const),
      ms: fc.constantFrom(1, 500, 1_000, 5_000, 20_000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("eviction" as const),
      how: fc.constantFrom("hibernate" as const, "close" as const),
    }),
  },
);

const history = fc.array(happening, { maxLength: 40 });

/** In which everything has to hold. */
const CONDITIONS: readonly (Conditions & { readonly title: string })[] = [
  { title: "on nodes that take all", takes: PEOPLE.length, rtts: {} },
  { title: "on nodes that take one person each", takes: 1, rtts: {} },
  { title: "on nodes that take two, for people in two regions", takes: 2, rtts: { near: 200, far: 10 } },
  { title: "where two who are left leave the room", takes: PEOPLE.length, rtts: {}, backToPairMs: 500 },
];

function check(property: (happenings: Happening[]) => void): void {
  fc.assert(fc.property(history, property), { seed: SEED, numRuns: RUNS });
}

describe.each(CONDITIONS)("whatever happens, in whatever order, $title", (conditions) => {
  function play(happenings: readonly Happening[]): World {
    const world = new World(conditions);
    for (const happened of happenings) world.play(happened);
    return world;
  }

  test("[ROOM-11] nobody waits for ever: every command has a reply", () => {
    check((happenings) => {
      const world = play(happenings);
      world.settle();
      expect(world.clients.flatMap(({ waiting }) => [...waiting])).toEqual([]);
    });
  });

  test("[ROOM-13] nobody is told of an old epoch after a newer one, [ROOM-8] or twice of one speaker, [ROOM-10] and nobody outside the call hears anything", () => {
    check((happenings) => {
      const world = play(happenings);
      world.settle();
      expect(world.clients.flatMap(({ wrong }) => wrong)).toEqual([]);
    });
  });

  test("[ROOM-4] once there is a node everybody who wants to be in is in, and knows it", () => {
    check((happenings) => {
      const world = play(happenings);
      world.settle();
      const { epoch } = world.room.placed;
      const present = world.clients.filter(({ isInCall }) => isInCall);
      for (const client of present.filter(({ wantsIn }) => wantsIn)) {
        if (client.isPaired) {
          expect(present.map(({ isPaired }) => isPaired)).toEqual([true, true]);
          expect(pairedWith(world.room, client.device)).toMatchObject({ isUp: true });
          continue;
        }
        expect([client.device.deviceId, client.epoch]).toEqual([client.device.deviceId, epoch]);
        const member = memberOf(world.room, client.device);
        expect(member && isInside(world.room, member)).toBe(true);
      }
      for (const { device } of world.clients.filter(({ isInCall }) => !isInCall)) {
        expect(memberOf(world.room, device)).toBeUndefined();
      }
    });
  });

  test("[ROOM-16] it comes to rest: no old room, nothing that is waited for; [ROOM-19] everybody is on exactly one node, and the node knows the same people", () => {
    check((happenings) => {
      const world = play(happenings);
      world.settle();
      const { epoch, old, members } = world.room.placed;
      expect([world.deadline(), old]).toEqual([null, null]);
      const inside = members.filter((member) => isInside(world.room, member));
      if (inside.length === 0) return;
      expect(namesOf(world)).toEqual(nodesOf(world.room).sort());
      for (const { node } of world.sockets) {
        const people = inside.filter(({ nodeId }) => nodeId === node.nodeId);
        expect([...(node.rooms.get(epoch)?.people ?? [])].sort()).toEqual(ids(people));
      }
    });
  });

  test("[ROOM-19] between each two of its nodes there is one pipe, whose two ends are connected", () => {
    check((happenings) => {
      const world = play(happenings);
      world.settle();
      const names = namesOf(world);
      for (const { epoch, node } of world.sockets) {
        const others = names.filter((name) => name !== node.nodeId).map((name) => [name, true]);
        expect([...(node.rooms.get(epoch)?.pipes ?? [])].sort()).toEqual(others);
      }
    });
  });

  test("[ROOM-10] when the call is over, nothing is left", () => {
    check((happenings) => {
      const world = play([...happenings, { kind: "call ends" }]);
      expect([world.deadline(), world.stored, world.sockets.length]).toEqual([null, null, 0]);
    });
  });

  test("what is said, heard and muted in a room is not written: a row is written for who comes and goes, and for moves", () => {
    check((happenings) => {
      const world = play(happenings);
      world.settle();
      const writes = world.writes;
      const talk: Happening[] = (["tracks", "speaks", "offers"] as const).map((what) => ({
        kind: "node says",
        which: 0,
        what,
      }));
      const asks: Happening[] = (["offer", "answer", "mute"] as const).map((what) => ({ kind: "asks", who: 0, what }));
      for (const happened of [...talk, ...asks, { kind: "nodes work" } as const]) world.play(happened);
      expect(world.writes).toBe(writes);
    });
  });
});

function namesOf({ sockets }: World): string[] {
  return sockets.map(({ node }) => node.nodeId).sort();
}

function ids(members: readonly { readonly participantId: string }[]): string[] {
  return members.map(({ participantId }) => participantId).sort();
}
