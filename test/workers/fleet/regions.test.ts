import { describe, expect, test } from "vitest";
import { type Party, parseRegions, rank, rttsOf } from "../../../workers/fleet/regions.ts";

const SITES = parseRegions("eu-west@52.3,4.9, us-east@39,-77.5, ap-south@1.35,103.8");
const LONDON = { latitude: 51.5, longitude: -0.1 };
const BOSTON = { latitude: 42.4, longitude: -71 };
const SYDNEY = { latitude: -33.9, longitude: 151.2 };

const someone = (changes: Partial<Party> = {}): Party => ({ at: null, continent: null, rtts: {}, ...changes });

describe("SFU_REGIONS", () => {
  test.each<[string, [string, number | null][]]>([
    ["local", [["local", null]]],
    [
      "far, here",
      [
        ["far", null],
        ["here", null],
      ],
    ],
    [
      "eu@52.3,4.9,us-east@39,-77.5",
      [
        ["eu", 52.3],
        ["us-east", 39],
      ],
    ],
    [
      "local, eu@-1,2",
      [
        ["local", null],
        ["eu", -1],
      ],
    ],
    ["", []],
  ])("%s", (text, expected) => {
    expect(parseRegions(text).map(({ name, at }) => [name, at?.latitude ?? null])).toEqual(expected);
  });
});

describe("[FLEET-2] the region of a room", () => {
  test.each<[string, Party[], string]>([
    ["is the one near the people in it", [someone({ at: LONDON }), someone({ at: LONDON })], "eu-west"],
    [
      "is the one in the middle of most",
      [someone({ at: BOSTON }), someone({ at: BOSTON }), someone({ at: LONDON })],
      "us-east",
    ],
    ["is found by a continent alone", [someone({ continent: "AS" })], "ap-south"],
    ["is found by coordinates rather than by a continent", [someone({ at: SYDNEY, continent: "EU" })], "ap-south"],
    [
      "is what the devices have measured, wherever they seem to be",
      [someone({ at: LONDON, rtts: { "eu-west": 300, "us-east": 20 } })],
      "us-east",
    ],
    ["is the first that is configured, for people of whom nothing is known", [someone()], "eu-west"],
    ["is the first that is configured, for nobody", [], "eu-west"],
  ])("%s", (_title, parties, expected) => {
    expect(rank(SITES, parties)[0]).toBe(expected);
  });

  test("the others come after it, nearest first", () => {
    expect(rank(SITES, [someone({ at: LONDON })])).toEqual(["eu-west", "us-east", "ap-south"]);
  });

  test("a device's own way to each is what it has measured, else by where it is", () => {
    const measured = someone({ at: LONDON, rtts: { "us-east": 20 } });
    const { "eu-west": near = 0, "us-east": far, "ap-south": farthest = 0 } = rttsOf(SITES, measured);
    expect([near < 20, far, farthest > 100]).toEqual([true, 20, true]);
  });

  test("one without coordinates works, and is neither near nor far", () => {
    const sites = parseRegions("local, eu-west@52.3,4.9");
    expect(rank(sites, [someone({ at: LONDON })])).toEqual(["eu-west", "local"]);
    expect(rank(sites, [someone({ at: SYDNEY })])).toEqual(["local", "eu-west"]);
    expect(rank(parseRegions("local"), [someone({ at: LONDON })])).toEqual(["local"]);
  });
});
