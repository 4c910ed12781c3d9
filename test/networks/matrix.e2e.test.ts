import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { hindrance } from "../support/network/namespace.ts";
import type { Nat } from "../support/network/nat.ts";
import { type Way, wayBetween } from "../support/network/path.ts";
import { TwoHomes } from "../support/network/two-homes.ts";

/** The table of docs/networks.md. Relays are the last resort: each row has the best way that there is. */
const MATRIX: readonly (readonly [ada: Nat, bob: Nat, way: Way])[] = [
  ["full cone", "full cone", "srflx"],
  ["full cone", "port restricted", "srflx"],
  ["port restricted", "port restricted", "srflx"],
  ["symmetric", "full cone", "srflx"],
  ["symmetric", "port restricted", "relay udp"],
  ["symmetric", "symmetric", "relay udp"],
  ["UDP blocked", "full cone", "relay tcp"],
  ["UDP blocked", "UDP blocked", "relay tcp"],
  ["only TCP 443", "symmetric", "relay tls"],
  ["only TCP 443", "UDP blocked", "relay tls"],
  ["only TCP 443", "only TCP 443", "relay tls"],
];

const hindered = await hindrance();
let town: TwoHomes;
beforeAll(async () => {
  if (hindered === null) town = await TwoHomes.start();
});
beforeEach(({ skip }) => skip(hindered !== null, hindered ?? ""));
afterEach(async () => expect(await town.closePages()).toEqual([]));
afterAll(() => town?.close());

describe("a call between two real browsers", () => {
  test("on the same network goes from host to host", async () => {
    await connect("host", { together: true });
  });

  test.each(MATRIX)("behind %s and %s goes by %s", async (ada, bob, way) => {
    await town.behind(ada, bob);
    await connect(way);
  });
});

async function connect(way: Way, where?: { together: boolean }): Promise<void> {
  const { ada, bob } = await town.residents(where);
  await ada.call(bob);
  await bob.answer();
  await Promise.all([ada.seesAndHears(), bob.seesAndHears()]);
  await expect.poll(() => wayBetween(ada.page, bob.page), { timeout: 10_000 }).toBe(way);
  await ada.hangUp();
}
