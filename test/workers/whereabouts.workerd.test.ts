import { describe, expect, test } from "vitest";
import { whereaboutsOf, withMeasured, withWhereabouts } from "../../workers/whereabouts.ts";

const NOWHERE = { at: null, continent: null, rtts: {} };
const asked = () => new Request("https://edge.test/calls/1/ws");
const seen = (cf: object | undefined) => whereaboutsOf(withWhereabouts(asked(), { cf }));

describe("[FLEET-2] where a device is", () => {
  test.each<[string, object | undefined, object]>([
    [
      "is what Cloudflare says of its request",
      { latitude: "52.37", longitude: "4.9", continent: "EU", city: "Amsterdam" },
      { at: { latitude: 52.37, longitude: 4.9 }, continent: "EU" },
    ],
    ["may be its continent alone", { continent: "AS" }, { continent: "AS" }],
    ["is nowhere where nothing is said", {}, {}],
    ["is nowhere without Cloudflare", undefined, {}],
    ["is nowhere where nonsense is said", { latitude: "north", longitude: 512, continent: 7 }, {}],
  ])("%s", (_title, cf, expected) => {
    expect(seen(cf)).toEqual({ ...NOWHERE, ...expected });
  });

  test("is not what a client says of itself", () => {
    const forged = new Request("https://edge.test/", {
      headers: { "x-switchboard-seen-from": '{"latitude":1,"longitude":1}' },
    });
    expect(whereaboutsOf(withWhereabouts(asked(), forged))).toEqual(NOWHERE);
  });

  test("goes with the round trips that it has measured", () => {
    const rtts = [
      { region: "eu", ms: 12 },
      { region: "us", ms: 90 },
    ];
    const register = { type: "register", deviceId: "d", deviceType: "Web", rtts } as const;
    expect(withMeasured(seen({ continent: "EU" }), { ...register, rtts })).toEqual({
      at: null,
      continent: "EU",
      rtts: { eu: 12, us: 90 },
    });
  });
});
