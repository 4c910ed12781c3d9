import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { course, deadline, type Membership, type MembershipEvent, OUTSIDE } from "../../../client/room/membership.ts";

const wanted: MembershipEvent = { type: "wanted" };
const moved = (epoch: number): MembershipEvent => ({ type: "wanted", epoch });
const told: MembershipEvent = { type: "told" };
const joined = (epoch: number): MembershipEvent => ({ type: "joined", epoch });
const refused: MembershipEvent = { type: "refused" };
const up: MembershipEvent = { type: "path", state: "up" };
const interrupted: MembershipEvent = { type: "path", state: "interrupted" };
const gone: MembershipEvent = { type: "path", state: "gone" };
/** Nothing happens for so long. */
const quiet = (ms: number) => ms;

/** What is done and when, with the last state; deadlines pass when they are due. */
function play(script: readonly (MembershipEvent | number)[], random = 0.5): string[] {
  const done: string[] = [];
  let membership: Membership = OUTSIDE;
  let now = 0;
  const step = (event: MembershipEvent) => {
    const { next, duty } = course(membership, event, { now, random });
    membership = next;
    if (duty) done.push(`${duty} at ${now}`);
  };
  for (const part of script) {
    if (typeof part !== "number") {
      step(part);
      continue;
    }
    const until = now + part;
    for (let due = deadline(membership); due !== null && due <= until; due = deadline(membership)) {
      now = due;
      step({ type: "time_passed" });
    }
    now = until;
  }
  return [...done, membership.kind];
}

const inside = [wanted, joined(1), up];

describe("getting in", () => {
  test.each<[string, (MembershipEvent | number)[], string[]]>([
    ["joins once, however often it is wanted", [wanted, wanted, moved(1)], ["join at 0", "joining"]],
    ["is in when its path is up", inside, ["join at 0", "tell_connected at 0", "inside"]],
    ["is not moved to where it is", [...inside, moved(1), wanted], ["join at 0", "tell_connected at 0", "inside"]],
    [
      "tries again later when it is refused, later and later",
      [wanted, refused, quiet(125), refused, quiet(250)],
      ["join at 0", "join at 125", "join at 375", "joining"],
    ],
    ["is not hurried by what it knows already", [wanted, refused, wanted, quiet(100)], ["join at 0", "waiting"]],
    ["is hurried by the word that there is a room", [wanted, refused, moved(1)], ["join at 0", "join at 0", "joining"]],
    [
      "tries again when its path does not come up",
      [wanted, joined(1), quiet(8_000), quiet(125)],
      ["join at 0", "join at 8125", "joining"],
    ],
    [
      "gives up after a minute without media",
      [wanted, refused, quiet(30_000), refused, quiet(40_000), refused],
      ["join at 0", "join at 125", "join at 30250", "give_up at 70000", "over"],
    ],
  ])("%s", (_title, script, expected) => {
    expect(play(script)).toEqual(expected);
  });
});

describe("a room that moves", () => {
  test.each<[string, (MembershipEvent | number)[], string[]]>([
    [
      "is joined where it is now",
      [...inside, quiet(1_000), moved(2)],
      ["join at 0", "tell_connected at 0", "join at 1000", "joining"],
    ],
    [
      "is not joined twice while the answer is on its way",
      [...inside, moved(2), moved(3)],
      ["join at 0", "tell_connected at 0", "join at 0", "joining"],
    ],
    [
      "counts as new when its path is up",
      [...inside, moved(2), joined(2), up],
      ["join at 0", "tell_connected at 0", "join at 0", "tell_connected at 0", "inside"],
    ],
  ])("%s", (_title, script, expected) => {
    expect(play(script)).toEqual(expected);
  });
});

describe("a path that breaks", () => {
  test.each<[string, (MembershipEvent | number)[], string[]]>([
    [
      "and heals within a second has done no harm",
      [...inside, interrupted, quiet(999), up, quiet(5_000)],
      ["join at 0", "tell_connected at 0", "inside"],
    ],
    [
      "is reported after a second",
      [...inside, interrupted, quiet(1_000)],
      ["join at 0", "tell_connected at 0", "tell_recovering at 1000", "lost"],
    ],
    [
      "for good is reported at once",
      [...inside, gone],
      ["join at 0", "tell_connected at 0", "tell_recovering at 0", "lost"],
    ],
    [
      "is joined anew at the server's word",
      [...inside, gone, told],
      ["join at 0", "tell_connected at 0", "tell_recovering at 0", "join at 0", "joining"],
    ],
    [
      "is joined anew without it 2.5 s later",
      [...inside, gone, quiet(2_500)],
      ["join at 0", "tell_connected at 0", "tell_recovering at 0", "join at 2500", "joining"],
    ],
    [
      "and comes back by itself is told of",
      [...inside, gone, quiet(100), up],
      ["join at 0", "tell_connected at 0", "tell_recovering at 0", "tell_connected at 100", "inside"],
    ],
    [
      "with the node: the server's word is where to go",
      [...inside, gone, moved(2)],
      ["join at 0", "tell_connected at 0", "tell_recovering at 0", "join at 0", "joining"],
    ],
    [
      "is what a failed negotiation makes of it",
      [...inside, refused],
      ["join at 0", "tell_connected at 0", "tell_recovering at 0", "lost"],
    ],
    [
      "has begun anew once it was up",
      [...inside, gone, told, refused, quiet(125), joined(1), up, quiet(60_000), gone, told, refused, quiet(125)],
      [
        "join at 0",
        "tell_connected at 0",
        "tell_recovering at 0",
        "join at 0",
        "join at 125",
        "tell_connected at 125",
        "tell_recovering at 60125",
        "join at 60125",
        "join at 60250",
        "joining",
      ],
    ],
  ])("%s", (_title, script, expected) => {
    expect(play(script)).toEqual(expected);
  });
});

test("whatever happens, it is in, on its way, waiting for a moment that comes soon, or over for good", () => {
  const event = fc.oneof(
    fc.constantFrom(wanted, told, refused, up, interrupted, gone, { type: "time_passed" } as const),
    fc.integer({ min: 1, max: 5 }).map(moved),
    fc.integer({ min: 1, max: 5 }).map(joined),
  );
  const script = fc.array(fc.record({ event, afterMs: fc.integer({ min: 0, max: 20_000 }) }), { maxLength: 60 });
  fc.assert(
    fc.property(script, fc.double({ min: 0, max: 0.999, noNaN: true }), (steps, random) => {
      let membership: Membership = OUTSIDE;
      let now = 0;
      for (const { event, afterMs } of steps) {
        now += afterMs;
        const { next, duty } = course(membership, event, { now, random });
        if (membership.kind === "over") expect(next).toBe(membership);
        expect(duty === "join").toBe(next.kind === "joining" && next !== membership);
        expect(duty === "give_up").toBe(next.kind === "over" && membership.kind !== "over");
        const due = deadline(next);
        if (next !== membership && due !== null) expect(due - now).toBeLessThanOrEqual(8_000);
        membership = next;
      }
    }),
  );
});
