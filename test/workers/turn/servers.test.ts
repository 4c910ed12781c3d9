import { describe, expect, test } from "vitest";
import type { Party } from "../../../workers/fleet/regions.ts";
import { parseTurnServers, serversFor, stunUrl, type TurnServer, turnUrls } from "../../../workers/turn/servers.ts";

const LONDON: Party = { at: { latitude: 51.5, longitude: -0.1 }, continent: "EU", rtts: {} };
const BOSTON: Party = { at: { latitude: 42.4, longitude: -71 }, continent: "NA", rtts: {} };
const NOWHERE: Party = { at: null, continent: null, rtts: {} };
const USER = "017f22e2-79b0-7cc3-98c4-000000000000";
const NEXT_USER = "017f22e2-79b0-7cc3-98c4-000000000001";

const FLEET = parseTurnServers(
  "eu@52.3,4.9=eu-1.example:3478/443, eu=eu-2.example, us@39,-77.5=us-1.example:3478/443, ap@1.35,103.8=ap-1.example",
);
const everyOne = () => true;
const hosts = (servers: readonly TurnServer[]) => servers.map(({ host }) => host);
const near = (party: Party, isAlive: (server: TurnServer) => boolean = everyOne, userId = USER) =>
  hosts(serversFor(FLEET, isAlive, { userId, party }));

describe("TURN_SERVERS", () => {
  test.each<[string, (string | number | null)[][]]>([
    ["local=127.0.0.1:3478/5349", [["local", null, "127.0.0.1", 3478, 5349]]],
    ["eu=turn.example.com", [["eu", null, "turn.example.com", 3478, 5349]]],
    ["eu@52.3,4.9=turn.example.com:80", [["eu", 52.3, "turn.example.com", 80, null]]],
    ["eu=[2001:db8::1]:3478/443", [["eu", null, "[2001:db8::1]", 3478, 443]]],
    [
      "eu=a.example, eu@52.3,4.9=b.example,us@39,-77.5=c.example",
      [
        ["eu", 52.3, "a.example", 3478, 5349],
        ["eu", 52.3, "b.example", 3478, 5349],
        ["us", 39, "c.example", 3478, 5349],
      ],
    ],
    ["", []],
    ["turn.example.com", []],
  ])("%s", (text, expected) => {
    const found = parseTurnServers(text).map(({ region, host, port, tlsPort }) => {
      return [region.name, region.at?.latitude ?? null, host, port, tlsPort];
    });
    expect(found).toEqual(expected);
  });

  test("[HTTP-4] each is offered over UDP, TCP and TLS, and as a STUN server", () => {
    const [first, second] = parseTurnServers("eu=a.example:3478/443, eu=b.example:80");
    expect(first && [stunUrl(first), ...turnUrls(first)]).toEqual([
      "stun:a.example:3478",
      "turn:a.example:3478?transport=udp",
      "turn:a.example:3478?transport=tcp",
      "turns:a.example:443?transport=tcp",
    ]);
    expect(second && turnUrls(second)).toEqual(["turn:b.example:80?transport=udp", "turn:b.example:80?transport=tcp"]);
  });
});

describe("[ICES-1] a device is told of", () => {
  test("one in the nearest region and one in the next", () => {
    expect(near(LONDON)).toEqual(["eu-1.example", "us-1.example"]);
    expect(near(BOSTON)).toEqual(["us-1.example", "eu-1.example"]);
  });

  test("the first regions that are configured, where nothing is known of it", () => {
    expect(near(NOWHERE)).toEqual(["eu-1.example", "us-1.example"]);
  });

  test("different ones of a region, by the user", () => {
    expect(near(LONDON, everyOne, NEXT_USER)).toEqual(["eu-2.example", "us-1.example"]);
  });

  test("two of one region, where there is no other", () => {
    const alone = serversFor(FLEET.slice(0, 2), everyOne, { userId: NEXT_USER, party: LONDON });
    expect(hosts(alone)).toEqual(["eu-2.example", "eu-1.example"]);
  });

  test("the only one", () => {
    expect(hosts(serversFor(FLEET.slice(3), everyOne, { userId: USER, party: LONDON }))).toEqual(["ap-1.example"]);
  });
});

describe("[ICES-2] of servers that are dead", () => {
  test("another of the same region takes the place, and without one the next region", () => {
    expect(near(LONDON, ({ host }) => host !== "eu-1.example")).toEqual(["eu-2.example", "us-1.example"]);
    expect(near(LONDON, ({ region }) => region.name !== "eu")).toEqual(["us-1.example", "ap-1.example"]);
    expect(near(LONDON, ({ region }) => region.name !== "us")).toEqual(["eu-1.example", "ap-1.example"]);
  });

  test("all are listed when none is alive", () => {
    expect(near(LONDON, () => false)).toEqual(["eu-1.example", "us-1.example"]);
  });
});
