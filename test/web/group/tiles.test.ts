import { describe, expect, test } from "vitest";
import type { Participant } from "../../../client/index.ts";
import { groupEndingText, groupTitle, namesText, newsText } from "../../../web/group/text.ts";
import { largeTile, type Tile, tilesOf, type View } from "../../../web/group/tiles.ts";

function person(name: string, change: Partial<Participant> = {}): Participant {
  const userId = name.toLowerCase();
  const about = { isRinging: false, isHolding: false, isSpeaking: false, streams: {} };
  const nothing = { sends: new Set<never>(), muted: new Set<never>() };
  return { ...nothing, key: `${userId}/phone`, userId, name, deviceId: "phone", state: "joined", ...about, ...change };
}

const bob = person("Bob");
const eve = person("Eve", { isSpeaking: true });
const joe = person("Joe", { state: "invited" });
const gone = person("Max", { state: "left" });
const sharing = person("Zoe", { sends: new Set(["screen" as const]) });

const ids = (tiles: readonly Tile[]) => tiles.map(({ id }) => id);

describe("the tiles", () => {
  test("are those who are in the call or being called, screens first, this window's user last", () => {
    expect(ids(tilesOf([bob, gone, joe, sharing]))).toEqual([
      "zoe/phone/screen",
      "bob/phone",
      "joe/phone",
      "zoe/phone",
      "own",
    ]);
  });

  test.each<[View, Participant[], string | null]>([
    ["auto", [bob, eve], null],
    ["auto", [bob, sharing], "zoe/phone/screen"],
    ["grid", [bob, sharing], null],
    ["speaker", [bob, eve], "eve/phone"],
    ["speaker", [joe, bob], "bob/phone"],
    ["speaker", [joe], null],
    ["speaker", [bob, eve, sharing], "zoe/phone/screen"],
  ])("in the view %s of %j the large one is %s", (view, people, large) => {
    expect(largeTile(tilesOf(people), view)?.id ?? null).toBe(large);
  });
});

test.each([
  [[], "Somebody"],
  [["Bob"], "Bob"],
  [["Bob", "Eve"], "Bob and Eve"],
  [["Bob", "Eve", "Joe"], "Bob, Eve and Joe"],
  [["Bob", "Eve", "Joe", "Max"], "Bob, Eve and 2 others"],
])("%j is written %s", (names, text) => {
  expect(namesText(names)).toBe(text);
});

test("a group call is called after those who are in it", () => {
  expect(groupTitle({ room: null, person: { userId: "bob", name: "Bob" } })).toBe("Bob");
  expect(groupTitle({ room: null, person: { userId: "bob", name: null } })).toBe("Somebody");
});

test.each([
  [undefined, "invited", null],
  ["invited", "joined", "Bob joined"],
  ["joined", "joined", null],
  ["joined", "left", "Bob left"],
  ["invited", "declined", "Bob declined"],
  ["invited", "busy", "Bob is busy"],
  ["invited", "missed", "Bob did not answer"],
  ["missed", "invited", null],
])("whose part was %s and is %s: %s", (before, now, text) => {
  expect(newsText("Bob", before, now)).toBe(text);
});

test.each([
  ["completed", "hung_up", "outgoing", "Call ended after 5 s"],
  ["missed", "timed_out", "outgoing", "Nobody answered"],
  ["declined", "declined", "outgoing", "Nobody answered"],
  ["cancelled", "caller_hung_up", "outgoing", "Call cancelled"],
  ["missed", "timed_out", "incoming", "Missed call from Bob"],
  ["failed", "media_failed", "outgoing", "The connection was lost"],
] as const)("a group call that was %s (%s), %s: %s", (outcome, reason, direction, text) => {
  const ending = { kind: "over", outcome, reason, durationSeconds: 5 } as const;
  expect(groupEndingText(ending, { direction, person: { userId: "bob", name: "Bob" } })).toBe(text);
});
