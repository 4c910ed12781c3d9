import { expect, test } from "vitest";
import { PathRenewal } from "../../client/path-renewal.ts";

/** @param returns whether media comes after each restart */
function renewing(returns: readonly boolean[], state = { isConnected: true, expectsMedia: true }) {
  const told: string[] = [];
  const answers = [...returns];
  const renewal = new PathRenewal({
    restart: async () => void told.push("restart"),
    isConnected: () => state.isConnected,
    expectsMedia: () => state.expectsMedia,
    mediaReturns: async () => answers.shift() ?? false,
    recovering: () => told.push("recovering"),
    over: () => told.push("over"),
  });
  return { renewal, told, state };
}

test("[RES-5] ICE is restarted until media returns, and no more often than asked", async () => {
  const second = renewing([false, true]);
  await second.renewal.renew(3);
  expect(second.told).toEqual(["restart", "recovering", "restart", "over"]);
  const never = renewing([]);
  await never.renewal.renew(2);
  expect(never.told).toEqual(["restart", "recovering", "restart", "over"]);
});

test("once is enough where nothing comes to show that it works, and where the browser has noticed itself", async () => {
  const held = renewing([], { isConnected: true, expectsMedia: false });
  await held.renewal.renew(3);
  expect(held.told).toEqual(["restart", "recovering", "over"]);
  const noticed = renewing([], { isConnected: false, expectsMedia: true });
  await noticed.renewal.renew(3);
  expect(noticed.told).toEqual(["restart"]);
});

test("a device that moves while its path is renewed gets all the restarts that a move has besides", async () => {
  const { renewal, told } = renewing([]);
  const stalled = renewal.renew(1);
  await renewal.renew(3);
  await stalled;
  expect(told.filter((each) => each === "restart")).toHaveLength(1 + 3);
  expect(told.filter((each) => each === "recovering")).toHaveLength(1);
  await renewal.renew(1);
  expect(told.filter((each) => each === "restart")).toHaveLength(1 + 3 + 1);
});
