import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { MATRIX, nameOf } from "../support/network/matrix.ts";
import { hindrance } from "../support/network/namespace.ts";
import { wayBetween } from "../support/network/path.ts";
import { TwoHomes } from "../support/network/two-homes.ts";

const hindered = await hindrance();
let town: TwoHomes;
beforeAll(async () => {
  if (hindered === null) town = await TwoHomes.start();
});
beforeEach(({ skip }) => skip(hindered !== null, hindered ?? ""));
afterEach(async () => expect(await town.closePages()).toEqual([]));
afterAll(() => town?.close());

/** Relays are the last resort: nothing worse than the best way will do. */
describe("a call between two real browsers", () => {
  test.each(MATRIX.map((networks) => ({ ...networks, name: nameOf(networks) })))(
    "behind $name goes by $way",
    async (networks) => {
      const { ada, bob } = await town.residentsOf(networks);
      await ada.call(bob);
      await bob.answer();
      await Promise.all([ada.seesAndHears(), bob.seesAndHears()]);
      await expect.poll(() => wayBetween(ada.page, bob.page)).toBe(networks.way);
      await ada.hangUp();
    },
  );
});
