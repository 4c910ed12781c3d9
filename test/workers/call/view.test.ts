import { describe, expect, test } from "vitest";
import type { CallState } from "../../../schema/call.ts";
import { RING_MS } from "../../../schema/limits.ts";
import type { ServerMessage } from "../../../schema/server-messages.ts";
import { notices } from "../../../workers/call/notices.ts";
import type { Told } from "../../../workers/call/state.ts";
import { concerns, toldOf } from "../../../workers/call/told.ts";
import { snapshotOf, viewFor } from "../../../workers/call/view.ts";
import {
  ADA,
  ADAS_PHONE,
  BOB,
  type CallScript,
  CIDS_PHONE,
  EVE,
  groupScript,
  PHONE,
  script,
  T0,
  TABLET,
} from "./call-script.ts";

type Device = { userId: string; deviceId: string };

function told(played: CallScript, device: Device, before?: CallState): readonly ServerMessage[] {
  const view = viewFor(played.call, device.userId, []);
  const to = { deviceId: device.deviceId, isEngaged: false };
  return view ? notices(before && having(before), view, to, played.now) : [];
}

/** What somebody has been told of a call between two that is in that state. */
function having(state: CallState): Told {
  const callee = { reaching: "i", ringing: "r", connecting: "j", connected: "j", reconnecting: "j", ended: "l" }[state];
  return { state, people: `j${callee}`, moves: 0, drops: 0, turns: 0 };
}

describe("what a device hears", () => {
  test("[CALL-4] a callee's device is told who calls, how, and for how long", () => {
    expect(told(script(), TABLET)).toEqual([
      {
        type: "incoming_call",
        callId: "01890000-0000-7000-8000-000000000001",
        rev: 1,
        caller: { ...ADAS_PHONE, name: "Ada" },
        callType: "video",
        sdp: "offer",
        remainingMs: RING_MS,
      },
    ]);
  });

  test("[GROUP-2] a device that had heard the end for its user, and came all the same, hears how all of it stands", () => {
    const played = groupScript().rung([CIDS_PHONE]).declines(CIDS_PHONE).answers(CIDS_PHONE);
    played.says(PHONE, { type: "decline", reason: "declined" }, 10);
    const participants = [{ state: "joined" }, { state: "declined" }, { state: "joined" }];
    expect(told(played, CIDS_PHONE)).toMatchObject([{ type: "call_state", state: "connecting", participants }]);
  });

  test("[CALL-5] the calling device hears ringing, with how many devices alert", () => {
    expect(told(script().rung().alerts(PHONE), ADAS_PHONE, "reaching")).toMatchObject([
      { type: "call_ringing", userId: BOB, devices: 1 },
    ]);
  });

  test("[CALL-7] the calling device gets the answer", () => {
    expect(told(script().rung().answers(PHONE), ADAS_PHONE, "ringing")).toMatchObject([
      { type: "call_connected", answeredBy: PHONE, sdp: "answer" },
    ]);
  });

  test("[CALL-8] a device that lost hears where it was answered; the winner, who has its reply, nothing", () => {
    const played = script().rung().answers(PHONE);
    expect(told(played, TABLET, "reaching")).toMatchObject([
      { type: "call_cancelled", reason: "answered_elsewhere", byDevice: PHONE.deviceId },
      { type: "call_elsewhere", deviceId: PHONE.deviceId, state: "connecting" },
    ]);
    expect(told(played, PHONE, "reaching")).toEqual([]);
  });

  test("[CALL-8] a device that missed the answer hears of it, not of the end: the call was not missed", () => {
    const played = script().rung().answers(PHONE).hangsUp();
    expect(told(played, TABLET, "ringing")).toMatchObject([{ type: "call_cancelled", reason: "answered_elsewhere" }]);
  });

  test("[HAND-2] a device that has stopped learns at the end that there is nothing to take over any more", () => {
    const played = script().rung().answers(PHONE).hangsUp();
    expect(told(played, TABLET, "connecting")).toMatchObject([{ type: "call_elsewhere", state: "ended" }]);
  });

  test("[CALL-5] a device that was never rung has nothing to stop", () => {
    expect(told(script().rung().hangsUp(), TABLET)).toEqual([]);
    expect(told(script().rung().answers(PHONE), TABLET)).toMatchObject([{ type: "call_elsewhere" }]);
  });

  test.each<[string, CallScript, string, string | undefined]>([
    ["[CALL-11] declined", script().rung().declines(PHONE), "declined_elsewhere", PHONE.deviceId],
    ["[CALL-14] timed out", script().rung().alarm(RING_MS), "timed_out", undefined],
    ["[CALL-15] cancelled", script().rung().hangsUp(), "caller_hung_up", undefined],
  ])("a ringing device learns why it stops: %s", (_title, played, reason, byDevice) => {
    const expected = { type: "call_cancelled", reason, ...(byDevice !== undefined && { byDevice }) };
    const [cancelled] = told(played, TABLET, "ringing");
    expect(cancelled).toMatchObject(expected);
    expect(Object.keys(cancelled ?? {}).includes("byDevice")).toBe(byDevice !== undefined);
  });

  test("[CALL-18] both ends of the call hear of the end, but the one that asked has its reply", () => {
    const played = script().rung().answers(PHONE).hangsUp(ADAS_PHONE, 10_000);
    expect(told(played, PHONE, "connecting")).toMatchObject([
      { type: "call_ended", outcome: "completed", reason: "hung_up", durationSeconds: 10 },
    ]);
    expect(told(played, ADAS_PHONE, "connecting")).toEqual([]);
  });

  test("[CALL-16] a calling device that missed the answer gets it with the news that media is up", () => {
    const played = script().rung().answers(PHONE).media(PHONE);
    expect(told(played, ADAS_PHONE, "ringing").map(({ type }) => type)).toEqual(["call_connected", "call_state"]);
  });

  test("[HAND-3] a device that had the call when another took it hears of the end, if that is the first it hears", () => {
    const played = script().rung().answers(PHONE).media(PHONE);
    const before = toldOf(played.view(BOB));
    played.takesOver(TABLET).media(TABLET).hangsUp();
    expect(notices(before, played.view(BOB), { deviceId: PHONE.deviceId, isEngaged: false }, played.now)).toMatchObject(
      [{ type: "call_ended", outcome: "completed" }],
    );
  });

  test("[HAND-3] so does one whose user's object has not even heard that it was answered", () => {
    const played = script().rung().answers(PHONE).media(PHONE).takesOver(TABLET).media(TABLET);
    const moved = { type: "call_handed_off", userId: BOB, deviceId: TABLET.deviceId };
    expect(told(played, PHONE, "reaching")).toMatchObject([moved]);
    expect(told(played.hangsUp(), PHONE, "reaching")).toMatchObject([{ type: "call_ended" }]);
  });

  test("[RES-4] what has changed and is again as it was is told whole: a device that asked in between saw it otherwise", () => {
    const played = script().rung().answers(PHONE).media(PHONE);
    const before = toldOf(played.view());
    const heard = () => notices(before, played.view(), { deviceId: ADAS_PHONE.deviceId, isEngaged: false }, played.now);
    played.says(PHONE, { type: "hold", on: true });
    expect(heard()).toMatchObject([{ type: "call_held", on: true }]);
    played.says(PHONE, { type: "hold", on: false });
    expect(heard()).toMatchObject([{ type: "call_state", state: "connected" }]);
  });

  test("[GROUP-2] who was in, left, and missed being asked again was not answered elsewhere", () => {
    const played = groupScript().rung().answers(PHONE).answers(CIDS_PHONE).hangsUp(PHONE, 40_000);
    played.invites([BOB]).rung([TABLET]).alarm(RING_MS);
    expect(told(played, TABLET, "reaching")).toMatchObject([{ type: "call_cancelled", reason: "timed_out" }]);
  });

  test("[WIRE-7] nothing is said twice", () => {
    expect(told(script().rung().answers(PHONE), TABLET, "connecting")).toEqual([]);
  });
});

describe("what is not told", () => {
  test("[CALL-10] a stranger sees no call", () => {
    expect(viewFor(script().call, EVE, [])).toBeUndefined();
  });

  test("the caller's snapshot has the answer and never the callee's devices before it", () => {
    const ringing = viewFor(script().rung().alerts(PHONE).call, ADA, []);
    expect(JSON.stringify(ringing && snapshotOf(ringing, T0))).not.toContain(PHONE.deviceId);
  });
});

describe("whom a change concerns", () => {
  const of = (played: CallScript, userId: string, onCallSocket: string[] = []) => {
    const view = viewFor(played.call, userId, onCallSocket);
    return view ? concerns(played.call.heard[userId], view) : false;
  };

  test.each<[string, boolean, boolean]>([
    ["[CALL-4] a new call is the callee's", of(script(), BOB), true],
    ["[CALL-5] alerting is not news to the callee", of(script().rung().alerts(), BOB), false],
    ["[CALL-5] it is to the caller", of(script().rung().alerts(), ADA), true],
    [
      "[CONN-4] unless the caller hears of it on a call socket",
      of(script().rung().alerts(), ADA, [ADAS_PHONE.deviceId]),
      false,
    ],
    [
      "[CALL-8] an answer is news to the callee, for the other devices",
      of(script().rung().answers(), BOB, [PHONE.deviceId]),
      true,
    ],
    ["the end is everybody's", of(script().rung().answers().hangsUp(), ADA, [ADAS_PHONE.deviceId]), true],
  ])("%s", (_title, actual, expected) => {
    expect(actual).toBe(expected);
  });
});
