import { describe, expect, test } from "vitest";
import { REDELIVER_MS, UNREACHABLE_MS } from "../../schema/limits.ts";
import type { Absence, Cast, Cue, DeviceName } from "../support/simulation/cast.ts";
import type { Call, Line } from "../support/simulation/chorus.ts";
import { disagreements, historyOf } from "../support/simulation/invariants.ts";
import { CALM } from "../support/simulation/network.ts";
import { Stage } from "../support/simulation/stage.ts";
import { AWAY_MS, WIND } from "../support/simulation/troubles.ts";
import { ADAS_PHONE, CALL_ID, CIDS_PHONE, EVE, groupScript, PHONE } from "./call/call-script.ts";

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
    played
      .event({ ...nobody(EVE), told: { state: "reaching", people: "", moves: 0, drops: 0, turns: 0 } })
      .alarm(UNREACHABLE_MS);
    expect(played.call).toMatchObject({ callId: CALL_ID, rev: rev + 1 });
    expect(played.call.log.at(-1)).toMatchObject({ rev: rev + 1, kind: "missed", userId: EVE });
  });
});

/** All on user sockets: what happens reaches the devices by way of their users' objects. */
describe("what a call tells a user's object", () => {
  const call: Call = { caller: of, callees: ["Bob"], callType: "video" };
  const group: Call = { ...call, callees: ["Bob", "Cid"], callType: "group" };
  const answers = (device: DeviceName, after = 500): Line => line(device, { type: "call_answer", join: false }, after);
  const media = (device: DeviceName): Line => line(device, { type: "call_media", state: "connected" });
  const holds = (on: boolean, after = 500): Line => line("bob's phone", { type: "call_hold", on }, after);

  function line(device: DeviceName, message: Line["message"], after = 500): Line {
    return { after, device, message };
  }

  const talk = [answers("bob's phone"), media("bob's phone")];

  test("[WAIT-2] that a hold is over, when it has forgotten that it told of the hold", async () => {
    const chorus = stage.chorus(0);
    await chorus.perform(call, [...talk, holds(true)], CALM);
    chorus.world.evict();
    await chorus.go([holds(false)], CALM);
    expect(chorus.shows(of)).toEqual(["connected", [["Bob", "joined", null, false]]]);
  });

  test("[WAIT-2] that a hold is over, when nobody knows whether the hold was told", async () => {
    const chorus = stage.chorus(0);
    await chorus.perform(call, talk, CALM);
    let isHeld = true;
    chorus.world.network.loses = (method) => (method === "callChanged" && isHeld ? "answer" : null);
    await chorus.go([holds(true), holds(false, 10)], CALM);
    isHeld = false;
    await chorus.go([], CALM);
    expect(chorus.shows(of)).toEqual(["connected", [["Bob", "joined", null, false]]]);
  });

  test("nothing without a pause, while it reaches two of them in vain", async () => {
    const chorus = stage.chorus(0);
    await chorus.perform(call, talk, CALM);
    let tries = 0;
    chorus.world.network.loses = (method) => (method === "callChanged" && ++tries ? "question" : null);
    await chorus.go([holds(true)], CALM);
    expect(tries).toBeGreaterThan(2);
    expect(tries).toBeLessThan(100);
  });

  test("[HAND-3] of two handoffs at once", async () => {
    const chorus = stage.chorus(0);
    await chorus.perform(call, talk, CALM);
    const { world } = chorus;
    const both = world.now + 40;
    world.network.loses = (method) => (method === "callChanged" && world.now < both ? "question" : null);
    const moves = ["ada's laptop", "bob's tablet"] as const;
    const takesOver = (device: DeviceName) => [
      line(device, { type: "call_handoff", sdp: "offer" }, 10),
      line(device, { type: "call_media", state: "connected" }, 10),
    ];
    await chorus.go(moves.flatMap(takesOver), CALM);
    expect(moves.map((device) => chorus.shows(device))).toEqual([
      ["connected", [["Bob", "joined", null, false]]],
      ["connected", [["Ada", "joined", null, false]]],
    ]);
    expect([chorus.shows(of), chorus.shows("bob's phone")]).toEqual(["nothing", "nothing"]);
  });

  test("[GROUP-4] [GROUP-5] whose caller has left and come back: what happens from then on", async () => {
    const chorus = stage.chorus(0);
    const leaves = (device: DeviceName) => line(device, { type: "call_end" });
    const lines = [answers("bob's phone"), answers("cid's phone"), media("bob's phone"), leaves(of), answers(of)];
    await chorus.perform(group, [...lines, leaves("bob's phone"), leaves("cid's phone")], CALM);
    expect(chorus.shows(of)).toBe("nothing");
  });

  test("[GROUP-4] who comes to a group that the others have left is alone, and it is over", () => {
    const played = groupScript().rung([PHONE]).rung([CIDS_PHONE]).answers(CIDS_PHONE);
    played.hangsUp(ADAS_PHONE).hangsUp(CIDS_PHONE).answers(PHONE);
    expect(played.call.phase).toMatchObject({ kind: "ended", outcome: "completed" });
  });
});

/** The user has no device. */
function nobody(userId: string) {
  const none = { rung: [], pushed: [], hasIdleDevices: false, silence: "none" as const };
  return { type: "delivered" as const, userId, name: "Eve", ...none };
}
