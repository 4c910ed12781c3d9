import { describe, expect, it } from "vitest";
import type { PushPurpose } from "../../../schema/ledger.ts";
import { PushProvider } from "../../../schema/push-token.ts";
import type { CallView } from "../../../workers/call/state.ts";
import { plan } from "../../../workers/push/plan.ts";
import { ADA, BOB, CALL, endedView, NOW, PHONE, RING_UNTIL, ringingView, TABLET, target } from "./views.ts";

const PROVIDERS = PushProvider.options;

function said(purpose: PushPurpose, view: CallView | null, now = NOW): string {
  const [decision, ...more] = plan(purpose, view, [target("fcm")], now);
  expect(more).toEqual([]);
  return decision?.kind === "notice" ? decision.notice : (decision?.kind ?? "nothing");
}

const answeredBy = (deviceId: string) => ({ by: { userId: BOB, deviceId }, at: NOW });
const merged: CallView = endedView("cancelled", {
  ended: {
    outcome: "cancelled",
    reason: "glare_merged",
    at: NOW,
    by: null,
    mergedInto: { callId: CALL, callType: "video", sdp: null },
  },
});

describe("a push that is to ring", () => {
  it.each<[string, CallView | null, string]>([
    ["[PUSH-2] rings while nobody alerts yet", ringingView(), "ring"],
    ["[PUSH-2] rings while another device alerts", ringingView({ state: "ringing" }), "ring"],
    [
      "[PUSH-4] not once another device has answered",
      ringingView({ state: "connecting", joined: [TABLET] }),
      "expired",
    ],
    ["[PUSH-4] not once it is over", endedView("cancelled"), "expired"],
    ["[PUSH-4] not for a call that nobody knows", null, "expired"],
    ["not for the caller", ringingView({ role: "caller" }), "expired"],
    ["nothing at the device that is in it", ringingView({ state: "connected", joined: [PHONE] }), "nothing"],
    ["nothing at the device that was in it", ringingView({ state: "connected", former: [PHONE] }), "nothing"],
  ])("%s", (_title, view, expected) => {
    expect(said("ring", view)).toBe(expected);
  });

  it("[PUSH-2] leaves out who has said something of the call, over whatever way", () => {
    expect(said("ring", ringingView({ state: "ringing", reacted: [PHONE] }))).toBe("nothing");
    expect(said("ring", ringingView({ state: "ringing", reacted: [TABLET] }))).toBe("ring");
    expect(said("notice", endedView("missed", { reacted: [PHONE] }))).toBe("missed_call");
  });

  it("[PUSH-2] is of use until the ring ends, and is not sent when nobody could react any more", () => {
    expect(plan("ring", ringingView(), [target("apns_voip")], NOW)).toMatchObject([{ until: RING_UNTIL }]);
    expect(said("ring", ringingView(), RING_UNTIL - 3_000)).toBe("ring");
    expect(said("ring", ringingView(), RING_UNTIL - 2_999)).toBe("expired");
  });
});

describe("a push that is to tell", () => {
  it.each<[string, CallView | null, string]>([
    ["of a call that rang out", endedView("missed"), "missed_call"],
    ["of a call whose caller hung up", endedView("cancelled"), "missed_call"],
    ["of a call while the user was in another one", endedView("busy"), "missed_call"],
    ["of a call that the tablet has", ringingView({ state: "connected", joined: [TABLET] }), "answered_elsewhere"],
    [
      "of a call that the tablet had",
      endedView("completed", { joined: [TABLET], answer: answeredBy(TABLET) }),
      "answered_elsewhere",
    ],
    ["of a call that the tablet declined", endedView("declined"), "call_over"],
    ["of a call that became another one", merged, "call_over"],
    ["not of a group call that another one answered", endedView("missed", { answer: null }), "missed_call"],
    ["not that it was answered elsewhere by somebody else", endedView("missed", otherAnswer()), "missed_call"],
    ["nothing of a call that rings again", ringingView(), "nothing"],
    ["nothing of a call that nobody knows", null, "nothing"],
    ["nothing at the device that was in it", endedView("completed", { joined: [PHONE] }), "nothing"],
  ])("[PUSH-4] %s", (_title, view, expected) => {
    expect(said("notice", view)).toBe(expected);
  });

  it("[PUSH-4] is never a VoIP push: an iPhone must ring for each of those", () => {
    const views = [endedView("missed"), endedView("cancelled"), endedView("declined"), merged];
    for (const view of [...views, ringingView({ state: "connected", joined: [TABLET] })]) {
      const told = plan(
        "notice",
        view,
        PROVIDERS.map((provider) => target(provider)),
        NOW,
      );
      expect(told.map((decision) => decision.target.push.provider)).toEqual(["apns", "fcm", "webpush"]);
    }
  });

  it("[PUSH-4] keeps a missed call for a day, and the rest as long as a ring may still be seen", () => {
    const until = (view: CallView) =>
      plan("notice", view, [target("fcm")], NOW).map((one) => "until" in one && one.until);
    expect(until(endedView("missed"))).toEqual([NOW + 24 * 3_600_000]);
    expect(until(endedView("declined"))).toEqual([NOW + 3_600_000]);
  });
});

function otherAnswer(): Partial<CallView> {
  return { answer: { by: { userId: ADA, deviceId: TABLET }, at: NOW } };
}
