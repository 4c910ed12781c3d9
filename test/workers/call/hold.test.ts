import { describe, expect, test } from "vitest";
import { CALLER_GRACE_MS, CONNECT_MS, RING_MS } from "../../../schema/limits.ts";
import { isCallerAwaited, nextDeadline } from "../../../workers/call/deadlines.ts";
import { notices } from "../../../workers/call/notices.ts";
import { toldOf } from "../../../workers/call/told.ts";
import { snapshotOf } from "../../../workers/call/view.ts";
import {
  ADA,
  ADAS_PHONE,
  ADAS_TABLET,
  BOB,
  CID,
  CIDS_PHONE,
  groupScript,
  PHONE,
  script,
  T0,
  TABLET,
} from "./call-script.ts";

const talking = () => script().rung().answers(PHONE).media();

describe("hold", () => {
  test("[WAIT-2] the other side is told, and the snapshot says so; off again as well", () => {
    const played = talking();
    for (const on of [true, false]) {
      const before = toldOf(played.view(ADA));
      played.says(PHONE, { type: "hold", on });
      const to = { deviceId: ADAS_PHONE.deviceId, isEngaged: false };
      expect(notices(before, played.view(ADA), to, played.now)).toMatchObject([{ type: "call_held", on, userId: BOB }]);
      const bob = snapshotOf(played.view(ADA), played.now).participants.find(({ userId }) => userId === BOB);
      expect(bob?.held ?? false).toBe(on);
    }
  });

  test("[WAIT-2] holding twice is once, and only for who is in a call that is answered", () => {
    const played = talking().says(PHONE, { type: "hold", on: true });
    expect(played.call.rev).toBe(played.says(PHONE, { type: "hold", on: true }).call.rev);
    expect(played.says(TABLET, { type: "hold", on: false }).verdict).toMatchObject({ code: "not_in_call" });
    expect(script().rung().says(ADAS_PHONE, { type: "hold", on: true }).verdict).toMatchObject({ code: "not_in_call" });
  });

  test("[WAIT-1] a device that is in another call is told that one waits", () => {
    const view = script().view(BOB);
    const told = (isEngaged: boolean) => notices(undefined, view, { deviceId: PHONE.deviceId, isEngaged }, T0);
    expect(told(true)).toMatchObject([{ type: "call_waiting", sdp: "offer", remainingMs: RING_MS }]);
    expect(told(false)).toMatchObject([{ type: "incoming_call" }]);
  });
});

describe("a calling device that is cut off", () => {
  const lost = () => script().rung().event({ type: "disconnected", device: ADAS_PHONE }, 2_000);

  test("[CALL-22] has 10 s to come back", () => {
    const played = lost();
    expect(nextDeadline(played.call, played.now, 10_000)).toBe(T0 + 2_000 + CALLER_GRACE_MS);
    expect(isCallerAwaited(played.call, played.now + CALLER_GRACE_MS)).toBe(true);
    expect(played.alarm(CALLER_GRACE_MS - 1, 0, false).call.phase.kind).toBe("ringing");
    expect(played.alarm(1, 0, false).call.phase).toMatchObject({ outcome: "cancelled", reason: "caller_lost" });
  });

  test("[CALL-22] is back in time, or found to be there: it rings on", () => {
    const back = lost().event({ type: "connected", device: ADAS_PHONE, mayRing: false }, 3_000);
    expect(back.call.callerLostAt).toBeNull();
    expect(back.alarm(CALLER_GRACE_MS, 0, false).call.phase.kind).toBe("ringing");
    expect(lost().alarm(CALLER_GRACE_MS, 0, true).call).toMatchObject({
      phase: { kind: "ringing" },
      callerLostAt: null,
    });
  });

  test("[CALL-22] may still be answered, and then nothing hangs on its socket", () => {
    const played = lost().answers(PHONE, 1_000);
    expect(played.alarm(CALLER_GRACE_MS, 0, false).call.phase.kind).toBe("connecting");
    expect(nextDeadline(played.call, played.now, 10_000)).toBe(T0 + 3_000 + CONNECT_MS);
  });

  test("[CALL-22] another device of the caller, and one of the callee, may come and go", () => {
    for (const device of [ADAS_TABLET, PHONE]) {
      expect(script().rung().event({ type: "disconnected", device }).call.callerLostAt).toBeNull();
    }
  });
});

describe("a callee who does not want to be rung", () => {
  test("[SAFE-1] a blocked caller sees a missed call, the callee a blocked one", () => {
    const played = script().rung([], "blocked").alarm(RING_MS);
    expect(played.view(ADA).ended).toMatchObject({ outcome: "missed", reason: "timed_out" });
    expect(played.view(BOB).ended).toMatchObject({ outcome: "blocked" });
  });

  test("[SAFE-1] to who blocked it the call is blocked however it ends, to the others what it was", () => {
    const cancelled = script().rung([], "blocked").hangsUp();
    expect(cancelled.view(ADA).ended).toMatchObject({ outcome: "cancelled", reason: "caller_hung_up" });
    expect(cancelled.view(BOB).ended).toMatchObject({ outcome: "blocked" });
    const group = groupScript()
      .rung([], "blocked")
      .rung([CIDS_PHONE])
      .answers(CIDS_PHONE)
      .media(CIDS_PHONE)
      .alarm(RING_MS);
    expect(group.view(BOB).ended).toMatchObject({ outcome: "blocked" });
    const over = group.hangsUp();
    expect([ADA, BOB, CID].map((userId) => over.view(userId).ended?.outcome)).toEqual([
      "completed",
      "blocked",
      "completed",
    ]);
  });

  test("[SAFE-1] who has somebody rung is known: in a call that has grown it is not the caller", () => {
    const grown = talking().invites([CID], PHONE);
    expect(grown.view(CID)).toMatchObject({ caller: { userId: ADA }, invitedBy: BOB });
    expect(grown.view(BOB)).toMatchObject({ invitedBy: ADA });
  });

  test("[SAFE-1] nothing ends early, as for a device that was pushed and says nothing", () => {
    for (const played of [script().rung([], "blocked"), script().rung([], "silent"), script().pushed()]) {
      const { rev } = played.call;
      expect(played.alarm(RING_MS - 1).call).toMatchObject({ rev, phase: { kind: "ringing" } });
      const views = played.alarm(1).view(ADA);
      expect(views).toMatchObject({ rev: rev + 2, ended: { outcome: "missed", reason: "timed_out", by: null } });
    }
  });

  test("[PUSH-5] when no pushed device can be reached after all, the call ends unreachable", () => {
    const played = script().pushed([PHONE, TABLET]);
    played.event({ type: "unreached", userId: BOB, deviceIds: [PHONE.deviceId] }, 5_000);
    expect(played.call.phase.kind).toBe("ringing");
    played.event({ type: "unreached", userId: BOB, deviceIds: [TABLET.deviceId] });
    expect(played.call.phase).toMatchObject({ kind: "ended", outcome: "unreachable" });
  });
});

describe("a call that gives way", () => {
  const into = { callId: "01890000-0000-7000-8000-000000000000", callType: "audio" as const, sdp: "their offer" };

  test("[GLARE-1] while it rings it ends as merged, once", () => {
    const played = script().rung().event({ type: "merge", into });
    expect(played.call.phase).toMatchObject({ kind: "ended", reason: "glare_merged" });
    expect(played.event({ type: "merge", into }).verdict.kind).toBe("done");
  });

  test("[GLARE-1] answered, it stands", () => {
    expect(talking().event({ type: "merge", into }).verdict.kind).toBe("refused");
    expect(script().rung().hangsUp().event({ type: "merge", into }).verdict.kind).toBe("refused");
  });

  test("[GLARE-2] its calling device is sent to the other call, and nobody else", () => {
    const before = script().rung();
    const played = script().rung().event({ type: "merge", into });
    const told = (device: { userId: string; deviceId: string }) =>
      notices(toldOf(before.view(device.userId)), played.view(device.userId), { ...device, isEngaged: false }, T0);
    expect(told(ADAS_PHONE)).toMatchObject([
      { type: "call_merged", into: into.callId, callType: "audio", sdp: "their offer" },
    ]);
    expect(told(ADAS_TABLET)).toEqual([]);
    expect(told(PHONE)).toMatchObject([{ type: "call_cancelled", reason: "glare_merged" }]);
  });
});
