import { expect, test } from "vitest";
import type { CallSnapshot } from "../../schema/call.ts";
import type { NoticePayload, RingPayload } from "../../schema/push.ts";
import { noticeFor, notificationFor, ringMs, type Standing } from "../../web/push/notification.ts";

const callId = "0192a000-0000-7000-8000-000000000001";
const bob = { userId: "b0000000-0000-4000-8000-000000000001", deviceId: "b0000000-0000-4000-8000-0000000000d1" };
const ada = { userId: "a0000000-0000-4000-8000-000000000001", name: "Ada" };
const at = "2026-01-01T00:00:00.000Z";
const claims = Buffer.from(JSON.stringify({ sub: bob.userId, device: bob.deviceId })).toString("base64url");
const callToken = `header.${claims}.signature`;

const ring: RingPayload = {
  type: "incoming_call",
  callId,
  callType: "audio",
  caller: ada,
  sentAt: at,
  expiresAt: "2026-01-01T00:00:30.000Z",
  callToken,
};

function call(change: Partial<CallSnapshot>): CallSnapshot {
  const caller = { ...ada, deviceId: "a0000000-0000-4000-8000-0000000000d1" };
  return { callId, rev: 1, callType: "audio", state: "reaching", caller, participants: [], createdAt: at, ...change };
}

test.each(["reaching", "ringing"] as const)("a call that is %s rings, and can be answered or declined", (state) => {
  expect(notificationFor(ring, call({ state }))).toMatchObject({
    title: "Ada",
    body: "Voice call for you",
    tag: callId,
    requireInteraction: true,
    actions: [{ action: "answer" }, { action: "decline" }],
    data: { callId, callToken, ...bob },
  });
});

test("[PUSH-4] a call that cannot be asked about rings, as long as its push may: it most likely does", () => {
  expect(notificationFor(ring, "unknown")).toEqual(notificationFor(ring, call({ state: "ringing" })));
  expect(ringMs({ ...ring, sentAt: "2026-01-01T00:00:11.000Z" })).toBe(19_000);
});

test.each<[string, Standing, string]>([
  ["the server does not know", "gone", "Missed call"],
  ["was answered on another device", call({ state: "connected" }), "Answered on another device"],
  ["was answered and is over", call({ state: "ended", outcome: "completed" }), "Answered on another device"],
  ["was declined on another device", call({ state: "ended", outcome: "declined" }), "The call is over"],
  ["was given up", call({ state: "ended", outcome: "cancelled" }), "Missed call"],
  ["rang out", call({ state: "ended", outcome: "missed" }), "Missed call"],
])("a call that %s never rings", (_title, now, body) => {
  const shown = notificationFor(ring, now);
  expect(shown).toMatchObject({ title: "Ada", body, tag: callId });
  expect(shown).not.toHaveProperty("actions");
  expect(shown).not.toHaveProperty("requireInteraction");
});

test.each<[NoticePayload["type"], string, boolean]>([
  ["missed_call", "Missed call", false],
  ["answered_elsewhere", "Answered on another device", true],
  ["call_over", "The call is over", true],
])("the notice %s takes the ring's place", (type, body, silent) => {
  const notice: NoticePayload = { type, callId, callType: "video", caller: ada, outcome: null, sentAt: at };
  expect(noticeFor(notice)).toEqual({ title: "Ada", body, tag: callId, silent });
});
