import { describe, expect, test } from "vitest";
import { HANDOFF_MS } from "../../../schema/limits.ts";
import { mayGather } from "../../../workers/call/call.ts";
import { nextDeadline } from "../../../workers/call/deadlines.ts";
import { ledgerEvent } from "../../../workers/call/ledger-event.ts";
import { notices, recover } from "../../../workers/call/notices.ts";
import { peerOf, routeOf } from "../../../workers/call/people.ts";
import { concerns, toldOf } from "../../../workers/call/told.ts";
import { ADA, ADAS_PHONE, BOB, type CallScript, EVES_PHONE, LAPTOP, PHONE, script, T0, TABLET } from "./call-script.ts";

const talking = () => script().rung().answers(PHONE, 1_000).media();

function heard(played: CallScript, device: { userId: string; deviceId: string }, play: () => unknown) {
  const before = toldOf(played.view(device.userId));
  play();
  return notices(before, played.view(device.userId), { deviceId: device.deviceId, isEngaged: false }, played.now);
}

describe("make before break", () => {
  test("[HAND-1] while the new device sets up, the old one keeps the call", () => {
    const played = talking().takesOver(TABLET);
    expect(played.call.handoff).toMatchObject({ from: PHONE.deviceId, to: TABLET.deviceId });
    expect(peerOf(played.call, ADAS_PHONE)).toEqual(PHONE);
    expect(peerOf(played.call, TABLET)).toEqual(ADAS_PHONE);
  });

  test("[HAND-1] what the other side says goes to the connection that it names, an answer to the new one", () => {
    const { call } = talking().takesOver(TABLET);
    expect(routeOf(call, ADAS_PHONE, undefined, false)).toEqual(PHONE);
    expect(routeOf(call, ADAS_PHONE, TABLET.deviceId, false)).toEqual(TABLET);
    expect(routeOf(call, ADAS_PHONE, undefined, true)).toEqual(TABLET);
    expect(mayGather(call, TABLET)).toBeNull();
    expect(mayGather(call, LAPTOP)).toMatchObject({ code: "not_in_call" });
  });

  test("[HAND-3] media on the new device moves the call in one step; history has both devices", () => {
    const played = talking().takesOver(TABLET, 5_000).media(TABLET, "connected", 1_000);
    expect(peerOf(played.call, ADAS_PHONE)).toEqual(TABLET);
    expect(peerOf(played.call, PHONE)).toBeNull();
    const bob = ledgerEvent(played.hangsUp().call).participants[1];
    expect(bob?.devices.map(({ deviceId }) => deviceId)).toEqual([PHONE.deviceId, TABLET.deviceId]);
  });

  test("[HAND-3] everybody in the call and every device of the user is told, the old one too", () => {
    for (const device of [ADAS_PHONE, PHONE, TABLET, LAPTOP]) {
      const played = talking().takesOver(TABLET);
      expect(heard(played, device, () => played.media(TABLET))).toMatchObject([
        { type: "call_handed_off", userId: BOB, deviceId: TABLET.deviceId },
      ]);
    }
  });

  test("[HAND-3] the caller's side hands over as the callee's does", () => {
    const tablet = { userId: ADA, deviceId: "00000000-0000-4000-8000-0000000000a2" };
    const played = talking().takesOver(tablet).media(tablet);
    expect(peerOf(played.call, PHONE)).toEqual(tablet);
  });

  test("[HAND-3] and back again, and on to a third", () => {
    const played = talking().takesOver(TABLET).media(TABLET).takesOver(PHONE).media(PHONE).takesOver(LAPTOP);
    expect(played.media(LAPTOP).view(BOB).joined).toEqual([LAPTOP.deviceId]);
    expect(played.call.moves.count).toBe(3);
  });

  test("[RES-3] the device that has handed over is told to give its media up when it comes back", () => {
    const played = talking().takesOver(TABLET).media(TABLET);
    const view = played.view(BOB);
    expect(recover(view, PHONE.deviceId)).toMatchObject([{ type: "recover", action: "leave" }]);
    expect(recover(view, TABLET.deviceId)).toMatchObject([{ type: "recover", action: "resume" }]);
    expect(recover(view, LAPTOP.deviceId)).toEqual([]);
  });
});

describe("a handoff that comes to nothing", () => {
  test("[HAND-4] the new device's media fails: the call stays where it was, and both sides drop the attempt", () => {
    for (const device of [ADAS_PHONE, PHONE, TABLET]) {
      const played = talking().takesOver(TABLET);
      expect(heard(played, device, () => played.media(TABLET, "failed"))).toMatchObject([
        { type: "call_handoff_failed", deviceId: TABLET.deviceId },
      ]);
      expect(played.view(BOB).joined).toEqual([PHONE.deviceId]);
    }
  });

  test("[HAND-4] it does not come within 10 s", () => {
    const played = talking().takesOver(TABLET);
    expect(nextDeadline(played.call, played.now, 10_000)).toBe(played.now + HANDOFF_MS);
    expect(played.alarm(HANDOFF_MS - 1, T0).call.handoff).not.toBeNull();
    expect(played.alarm(1, T0).call).toMatchObject({ handoff: null, phase: { kind: "connected" } });
    expect(played.media(TABLET).verdict).toMatchObject({ code: "not_in_call" });
  });

  test("[HAND-5] hanging up wins, on either side and on either device", () => {
    for (const device of [ADAS_PHONE, PHONE, TABLET]) {
      const played = talking().takesOver(TABLET).hangsUp(device);
      expect(played.call.phase).toMatchObject({ kind: "ended", outcome: "completed" });
      expect(played.media(TABLET).verdict).toMatchObject({ code: "not_in_call" });
    }
  });

  test("[HAND-6] the old device's media may go meanwhile; the call ends only if the new one fails too", () => {
    const lost = () => talking().takesOver(TABLET).media(PHONE, "failed");
    expect(lost().call.phase.kind).toBe("connected");
    expect(lost().media(TABLET).call.phase.kind).toBe("connected");
    expect(lost().media(TABLET, "failed").call.phase).toMatchObject({ kind: "ended", outcome: "failed" });
    expect(lost().alarm(HANDOFF_MS, T0).call.phase).toMatchObject({ kind: "ended", outcome: "failed" });
  });

  test.each<[string, CallScript, string]>([
    ["before the answer", script().rung().takesOver(TABLET), "not_in_call"],
    ["by a stranger", talking().takesOver(EVES_PHONE), "call_not_found"],
    ["without an offer", talking().takesOver(TABLET, 0, null), "bad_message"],
    ["while another device is at it", talking().takesOver(TABLET).takesOver(LAPTOP), "forbidden"],
  ])("[HAND-1] refused: %s", (_title, played, code) => {
    expect(played.verdict).toMatchObject({ kind: "refused", code });
  });

  test("[HAND-1] asked twice, it is one handoff; by the device that has the call, none", () => {
    const played = talking().takesOver(TABLET);
    const { rev } = played.call;
    expect(played.takesOver(TABLET)).toMatchObject({ verdict: { kind: "done" }, call: { rev } });
    expect(talking().takesOver(PHONE).call.handoff).toBeNull();
  });

  test("[HAND-7] the device in the call asks an idle one", () => {
    const ask = { type: "handoff", sdp: null, to: TABLET.deviceId, connectionId: null } as const;
    expect(talking().says(PHONE, ask).verdict).toEqual({ kind: "handoff_wanted", deviceId: TABLET.deviceId });
  });
});

describe("idle devices", () => {
  test("[HAND-2] learn where the call is, and that it is over", () => {
    const played = script().rung();
    expect(heard(played, LAPTOP, () => played.answers(PHONE)).at(-1)).toMatchObject({
      type: "call_elsewhere",
      deviceId: PHONE.deviceId,
    });
    expect(heard(played, LAPTOP, () => played.hangsUp())).toMatchObject([{ type: "call_elsewhere", state: "ended" }]);
  });

  test("[HAND-2] the caller's other devices too; with none, their object is not asked", () => {
    const tablet = { userId: ADA, deviceId: "00000000-0000-4000-8000-0000000000a2" };
    const alone = script().rung().answers(PHONE);
    const viewOf = (played: CallScript) => ({ ...played.view(ADA), onCallSocket: [ADAS_PHONE.deviceId] });
    expect(concerns(alone.call.heard[ADA], viewOf(alone))).toBe(false);
    const two = script().event({ type: "connected", device: tablet, mayRing: false }).rung().answers(PHONE);
    expect(concerns(two.call.heard[ADA], viewOf(two))).toBe(true);
  });
});
