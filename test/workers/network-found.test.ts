import { describe, expect, test } from "vitest";
import { REDELIVER_MS, UNREACHABLE_MS } from "../../schema/limits.ts";
import type { Absence, Cast, Cue, DeviceName } from "../support/simulation/cast.ts";
import { disagreements, historyOf } from "../support/simulation/invariants.ts";
import { CALM } from "../support/simulation/network.ts";
import { Stage } from "../support/simulation/stage.ts";
import { AWAY_MS, WIND } from "../support/simulation/troubles.ts";
import { CALL_ID, CIDS_PHONE, EVE, groupScript, PHONE } from "./call/call-script.ts";

/** What the simulated network has found once, each as a scenario of its own. */

const ORDERS = Array.from({ length: 100 }, (_, seed) => seed);
const of = "ada's phone";
const stage = new Stage();

function calls(device: DeviceName, callee: "Ada" | "Bob", at = 0): Cue {
  return { at, device, act: { type: "call", callees: [callee] } };
}

function lost(device: DeviceName, at: number, forMs = AWAY_MS, outage: Absence["outage"] = "lost"): Absence {
  return { at, device, outage, forMs };
}

/** @returns of each call why it ended */
function reasons(cast: Cast): (string | null)[] {
  return historyOf(cast).map(({ reason }) => reason);
}

function rings(cast: Cast, device: DeviceName): number {
  return cast.device(device).heard.filter(({ type }) => type === "incoming_call").length;
}

describe("a call that is being set up", () => {
  test("[CALL-22] the calling device goes before its user's object has heard of the call", async () => {
    for (const seed of ORDERS) {
      const cast = stage.cast(seed, WIND);
      await cast.play([calls(of, "Bob")], [lost(of, 5 * seed, AWAY_MS, "cut")]);
      expect([seed, reasons(cast)]).toEqual([seed, ["caller_lost"]]);
    }
  });

  test("[CALL-1] [CALL-11] its end is told before the word that it was made: the caller hears of both", async () => {
    const cast = stage.cast(0);
    cast.world.network.delays = (method) => (method === "create" ? 2_000 : 0);
    await cast.play([calls(of, "Bob"), { at: 1_000, device: "bob's phone", act: { type: "decline", of } }]);
    await cast.world.runFor(3_000);
    const heard = cast.device(of).heard.map(({ type }) => type);
    expect(heard.filter((type) => type !== "recover")).toEqual(["call_initiated", "call_ended"]);
  });

  test("[CALL-2] the reply is lost, and the repeated initiation cannot ask the call: who talks by then talks on", async () => {
    const cast = stage.cast(0);
    let asked = 0;
    cast.world.network.loses = (method) => (method === "create" && ++asked === 2 ? "answer" : null);
    const answers: Cue = { at: 2_000, device: "bob's phone", act: { type: "answer", of } };
    await cast.play([calls(of, "Bob"), answers], [lost(of, 1, 5_000)]);
    await cast.world.runFor(5_000);
    expect(asked).toBeGreaterThanOrEqual(3);
    expect([cast.device(of), cast.device("bob's phone")].map((each) => each.belief(cast.callOf(of)))).toEqual([
      "talks",
      "talks",
    ]);
  });

  test("[CALL-3] it fails half way, and the word that it is given up fails too: nothing rings on", async () => {
    const cast = stage.cast(0);
    const asked = { create: 0, abandon: 0 };
    cast.world.network.loses = (method) => {
      if (method === "create") return ++asked.create === 1 ? "answer" : null;
      return method === "abandon" && ++asked.abandon === 1 ? "question" : null;
    };
    await cast.play([calls(of, "Bob")]);
    await cast.world.runFor(2 * REDELIVER_MS);
    expect(asked.abandon).toBe(2);
    // The device has asked for another one by then.
    expect(reasons(cast)).toEqual(["caller_hung_up", null]);
  });
});

describe("two who call each other", () => {
  const both = [calls(of, "Bob"), calls("bob's phone", "Ada", 200)];

  test("[GLARE-1] what ends a call does not get there before what makes it", async () => {
    for (const seed of ORDERS) {
      const cast = stage.cast(seed, WIND);
      await cast.play(both);
      await cast.world.runFor(10_000);
      expect([seed, reasons(cast)]).toEqual([seed, expect.arrayContaining(["glare_merged"])]);
      expect([seed, await disagreements(cast)]).toEqual([seed, []]);
    }
  });

  test("[CONN-5] [GLARE-3] the one hangs up within the ring, and its object has forgotten that the other call is over", async () => {
    const cast = stage.cast(0, { ...CALM, evicted: 1 });
    await cast.play([...both, { at: 15_000, device: of, act: { type: "hangUp", of } }]);
    await cast.world.runFor(1_000);
    expect([rings(cast, of), rings(cast, "ada's laptop"), await disagreements(cast)]).toEqual([0, 1, []]);
  });
});

describe("a group", () => {
  test("[GROUP-5] [RES-2] who declined, came after all and lost the network is in it afterwards", async () => {
    const cast = stage.cast(0);
    const cid = (at: number, type: "decline" | "join"): Cue => ({ at, device: "cid's phone", act: { type, of } });
    const call: Cue = { at: 0, device: of, act: { type: "call", callees: ["Bob", "Cid"], group: true } };
    const answer: Cue = { at: 1_000, device: "bob's phone", act: { type: "answer", of } };
    await cast.play([call, answer, cid(2_000, "decline"), cid(3_000, "join")], [lost("cid's phone", 5_000)]);
    await cast.world.runFor(5_000);
    expect(cast.device("cid's phone").belief(cast.callOf(of))).toBe("talks");
  });

  test("[WIRE-7] [LOG-2] that somebody cannot be reached is a revision of its own", () => {
    const played = groupScript().rung([PHONE]).rung([CIDS_PHONE]).answers(PHONE).invites([EVE]);
    const { rev } = played.call;
    played.event({ ...nobody(EVE), told: { state: "reaching", people: "", moves: 0, drops: 0 } }).alarm(UNREACHABLE_MS);
    expect(played.call).toMatchObject({ callId: CALL_ID, rev: rev + 1 });
    expect(played.call.log.at(-1)).toMatchObject({ rev: rev + 1, kind: "missed", userId: EVE });
  });
});

/** The user has no device. */
function nobody(userId: string) {
  const none = { rung: [], pushed: [], hasIdleDevices: false, silence: "none" as const };
  return { type: "delivered" as const, userId, name: "Eve", ...none };
}
