import { describe, expect, test } from "vitest";
import { CONNECT_MS, RING_MS, ROOM_RETRIES_MS, UNREACHABLE_MS } from "../../../schema/limits.ts";
import { nextDeadline } from "../../../workers/call/deadlines.ts";
import { ledgerEvent } from "../../../workers/call/ledger-event.ts";
import { notices } from "../../../workers/call/notices.ts";
import { toldOf } from "../../../workers/call/told.ts";
import { snapshotOf } from "../../../workers/call/view.ts";
import {
  ADA,
  ADAS_PHONE,
  BOB,
  type CallScript,
  CID,
  CIDS_PHONE,
  CIDS_TABLET,
  EVE,
  EVES_PHONE,
  groupScript,
  PHONE,
  script,
  T0,
  TABLET,
} from "./call-script.ts";

const rung = () => groupScript().rung([PHONE, TABLET]).rung([CIDS_PHONE, CIDS_TABLET]);
const states = (played: CallScript) => played.call.participants.map(({ state }) => state);
const ending = (played: CallScript) => {
  const { phase } = played.call;
  return phase.kind === "ended" ? [phase.outcome, phase.reason] : phase.kind;
};

describe("a group call rings", () => {
  test("[GROUP-1] each member has a ring of their own: one answers, the other rings on", () => {
    const played = rung().answers(PHONE);
    expect(ending(played)).toBe("connecting");
    expect([ADA, BOB, CID].map((userId) => played.view(userId).state)).toEqual([
      "connecting",
      "connecting",
      "reaching",
    ]);
  });

  test("[GROUP-1] a second device of a member who has answered comes too late", () => {
    expect(rung().answers(PHONE).answers(TABLET).verdict.kind).toBe("already_answered");
  });

  test("[GROUP-1] one declines, the others ring on; all decline, and it is declined", () => {
    const played = rung().declines(PHONE);
    expect([ending(played), states(played)]).toEqual(["ringing", ["joined", "declined", "invited"]]);
    expect(ending(played.declines(CIDS_PHONE))).toEqual(["declined", "declined"]);
  });

  test.each<[string, CallScript, string[]]>([
    ["one declines and one does not answer", rung().declines(PHONE).alarm(RING_MS), ["declined", "declined"]],
    ["nobody answers", rung().alarm(RING_MS), ["missed", "timed_out"]],
    ["both are busy", busy(busy(rung(), PHONE, TABLET), CIDS_PHONE, CIDS_TABLET), ["busy", "busy"]],
    ["one is busy and one does not answer", busy(rung(), PHONE, TABLET).alarm(RING_MS), ["missed", "timed_out"]],
    ["nobody can be reached", unreachable().alarm(UNREACHABLE_MS), ["unreachable", "unreachable"]],
    ["the caller gives up", rung().hangsUp(), ["cancelled", "caller_hung_up"]],
  ])("[GROUP-1] nobody joins: %s", (_title, played, expected) => {
    expect(ending(played)).toEqual(expected);
  });

  function busy(played: CallScript, ...devices: (typeof PHONE)[]): CallScript {
    return devices.reduce((before, device) => before.declines(device, "busy"), played);
  }

  function unreachable(): CallScript {
    return groupScript().event(noDevices(BOB)).event(noDevices(CID));
  }

  function noDevices(userId: string) {
    const told = toldOf(groupScript().view(userId));
    const nobody = { name: null, rung: [], pushed: [], silence: "none" as const, hasIdleDevices: false };
    return { type: "delivered" as const, userId, told, ...nobody };
  }

  test("[GROUP-1] a member who cannot be reached keeps nobody else from being rung", () => {
    const played = groupScript().event(noDevices(BOB)).rung([CIDS_PHONE]).alarm(UNREACHABLE_MS);
    expect([ending(played), states(played)]).toEqual(["ringing", ["joined", "missed", "invited"]]);
    expect(nextDeadline(played.call, played.now, 10_000) - T0).toBe(CONNECT_MS);
  });

  test("[GROUP-6] of a member whom nobody knows there is no trace", () => {
    const played = groupScript().event({ type: "unknown", userId: CID }).rung([PHONE]).answers(PHONE);
    expect(snapshotOf(played.view(), played.now).participants.map(({ userId }) => userId)).toEqual([ADA, BOB]);
    expect(ledgerEvent(played.call).participants.map(({ userId }) => userId)).toEqual([ADA, BOB]);
  });
});

describe("people come and go", () => {
  test("[GROUP-4] who leaves is out, the call goes on; the last two part, and it is over for both", () => {
    const played = rung().answers(PHONE).answers(CIDS_PHONE).media().hangsUp(ADAS_PHONE, 5_000);
    expect([ending(played), states(played)]).toEqual(["connected", ["left", "joined", "joined"]]);
    expect(played.view(ADA)).toMatchObject({ state: "ended", ended: { outcome: "completed" } });
    expect(ending(played.hangsUp(PHONE))).toEqual(["completed", "hung_up"]);
    expect(states(played)).toEqual(["left", "left", "left"]);
  });

  test("[GROUP-4] alone, but somebody is still being rung: it goes on until that is decided", () => {
    const played = rung().answers(PHONE).hangsUp(PHONE);
    expect(ending(played)).toBe("connecting");
    expect(ending(played.declines(CIDS_PHONE))).toEqual(["completed", "hung_up"]);
  });

  test("[GROUP-5] who declined, missed or left may still join while the call lasts", () => {
    const played = rung().answers(PHONE).declines(CIDS_PHONE).media().answers(CIDS_TABLET);
    expect(states(played)).toEqual(["joined", "joined", "joined"]);
    expect(states(played.hangsUp(PHONE).answers(PHONE))).toEqual(["joined", "joined", "joined"]);
  });

  test("[GROUP-5] the same user joins with a second device when it says so, and leaves with one of them", () => {
    const joined = rung().answers(PHONE).says(TABLET, { type: "answer", sdp: null, join: true });
    expect(joined.view(BOB).joined).toEqual([PHONE.deviceId, TABLET.deviceId]);
    expect(joined.hangsUp(PHONE).view(BOB)).toMatchObject({ state: "connecting", joined: [TABLET.deviceId] });
  });

  test("[GROUP-4] media that fails takes one member out, not the call", () => {
    const played = rung().answers(PHONE).answers(CIDS_PHONE).media().media(CIDS_PHONE, "failed");
    expect([ending(played), states(played)]).toEqual(["connected", ["joined", "joined", "left"]]);
    expect(played.view(CID).ended?.outcome).toBe("failed");
  });

  test("[CALL-17] without media it goes on while a node is looked for, and then fails", () => {
    const played = rung().answers(PHONE).answers(CIDS_PHONE).alarm(CONNECT_MS);
    expect(ending(played)).toBe("connecting");
    expect(nextDeadline(played.call, played.now, 0)).toBe(T0 + CONNECT_MS + ROOM_RETRIES_MS);
    expect(ending(played.alarm(ROOM_RETRIES_MS))).toEqual(["failed", "media_timeout"]);
  });

  test("[CALL-17] one has media, and those without keep nobody from talking", () => {
    const played = rung()
      .answers(PHONE)
      .answers(CIDS_PHONE)
      .media(PHONE)
      .alarm(CONNECT_MS + ROOM_RETRIES_MS);
    expect([ending(played), states(played)]).toEqual(["connected", ["joined", "joined", "joined"]]);
  });

  test("[GROUP-2] those who are in hear who joins, declines and leaves", () => {
    const played = rung().answers(PHONE);
    const heard = (play: () => unknown) => {
      const before = toldOf(played.view());
      play();
      const to = { deviceId: ADAS_PHONE.deviceId, isEngaged: false };
      return notices(before, played.view(), to, played.now).map(({ type }) => type);
    };
    expect(heard(() => played.alerts(CIDS_PHONE))).toEqual(["call_ringing"]);
    expect(heard(() => played.declines(CIDS_PHONE))).toEqual(["participant_updated"]);
    expect(heard(() => played.answers(CIDS_PHONE))).toEqual(["participant_joined"]);
    expect(heard(() => played.hangsUp(CIDS_PHONE))).toEqual(["participant_left"]);
    expect(heard(() => played.invites([CID, EVE]))).toEqual(["participant_updated", "participant_updated"]);
  });

  test("[GROUP-1] history tells each member what the call was to them", () => {
    const played = rung().answers(PHONE).declines(CIDS_PHONE).media().hangsUp(PHONE, 9_000);
    expect(ledgerEvent(played.call).participants.map(({ outcome }) => outcome)).toEqual([
      "completed",
      "completed",
      "declined",
    ]);
  });
});

describe("inviting into a call", () => {
  const talking = () => script().rung([PHONE, TABLET]).answers(PHONE).media();

  test("[GROUP-3] a call between two becomes a group call under the same id, and nobody is rung twice", () => {
    const before = talking();
    const played = talking().invites([BOB, CID, CID], PHONE);
    expect(played.call).toMatchObject({ callId: before.call.callId, callType: "group", phase: { kind: "connected" } });
    expect(states(played)).toEqual(["joined", "joined", "invited"]);
    expect(played.view(CID).state).toBe("reaching");
    expect(played.call.rev).toBe(before.call.rev + 1);
  });

  test("[GROUP-3] inviting the same again changes nothing", () => {
    const played = talking().invites([CID]);
    expect(played.call.rev).toBe(played.invites([CID]).call.rev);
  });

  test("[GROUP-3] who has declined may be asked again, and rings again", () => {
    const played = talking().invites([CID]).rung([CIDS_PHONE]).declines(CIDS_PHONE).invites([CID]);
    expect(played.view(CID)).toMatchObject({ state: "reaching", ringUntil: T0 + RING_MS });
    expect(played.call.heard[CID]).toBeUndefined();
  });

  test("[GROUP-3] an invited member's ring runs out by itself; the call goes on", () => {
    const played = talking()
      .invites([CID])
      .rung([CIDS_PHONE])
      .alarm(RING_MS, T0 + RING_MS);
    expect([ending(played), states(played)]).toEqual(["connected", ["joined", "joined", "missed"]]);
  });

  test.each<[string, CallScript, string]>([
    ["by a device that is not in the call", talking().invites([CID], TABLET), "not_in_call"],
    ["by a stranger", talking().invites([CID], EVES_PHONE), "call_not_found"],
    ["before the call is answered", script().rung().invites([CID]), "forbidden"],
    ["of more people than a call holds", talking().invites(crowd(31)), "too_many_participants"],
  ])("[GROUP-3] refused: %s", (_title, played, code) => {
    expect(played.verdict).toMatchObject({ kind: "refused", code });
  });

  test("[GROUP-3] 32 people fit", () => {
    expect(talking().invites(crowd(30)).verdict.kind).toBe("done");
  });

  function crowd(count: number): string[] {
    return Array.from({ length: count }, (_, i) => `00000000-0000-4000-8000-0000000001${10 + i}`);
  }
});
