import { describe, expect, test } from "vitest";
import { type CallEvent, type CallPhase, type Ending, reduce, type Self } from "../../client/call-state.ts";
import type { CallSnapshot } from "../../schema/call.ts";
import type { ServerMessage } from "../../schema/server-messages.ts";

const callId = "0192a000-0000-7000-8000-000000000001";
const alice = { userId: "a0000000-0000-4000-8000-000000000001", deviceId: "a0000000-0000-4000-8000-0000000000d1" };
const bob = { userId: "b0000000-0000-4000-8000-000000000001", deviceId: "b0000000-0000-4000-8000-0000000000d1" };
const bobsOther = { ...bob, deviceId: "b0000000-0000-4000-8000-0000000000d2" };
const caller: Self = { direction: "outgoing", ...alice };
const callee: Self = { direction: "incoming", ...bob };
const since = 1_000;

const heard = (message: ServerMessage): CallEvent => ({ type: "heard", message, at: since });
const initiated = (state: "reaching" | "ringing") =>
  heard({ type: "call_initiated", callId, rev: 1, deduplicated: false, state });
const ringing = heard({ type: "call_ringing", callId, rev: 1, userId: bob.userId, devices: 1 });
const connected = heard({ type: "call_connected", callId, rev: 2, answeredBy: bob, sdp: "answer" });
const late = heard({ type: "already_answered", callId, rev: 2, answeredBy: bobsOther });
const stopped = heard({
  type: "call_cancelled",
  callId,
  rev: 2,
  reason: "answered_elsewhere",
  byDevice: bobsOther.deviceId,
});
const ended = heard({
  type: "call_ended",
  callId,
  rev: 3,
  outcome: "completed",
  reason: "hung_up",
  durationSeconds: 42,
});
const snapshot = (change: Partial<CallSnapshot>): CallEvent =>
  heard({
    type: "call_state",
    callId,
    rev: 2,
    callType: "video",
    state: "connecting",
    caller: { ...alice, name: "Alice" },
    participants: [],
    createdAt: "2026-01-01T00:00:00.000Z",
    ...change,
  });
const over = (ending: Ending): CallPhase => ({ kind: "ended", ending });
const answeredElsewhere = over({ kind: "cancelled", reason: "answered_elsewhere", byDevice: bobsOther.deviceId });
const completed = over({ kind: "over", outcome: "completed", reason: "hung_up", durationSeconds: 42 });

interface Row {
  readonly title: string;
  readonly self: Self;
  readonly from: CallPhase;
  readonly event: CallEvent;
  readonly to: CallPhase;
}

const rows: Row[] = [
  {
    title: "the server took the call",
    self: caller,
    from: { kind: "initiating" },
    event: initiated("reaching"),
    to: { kind: "reaching" },
  },
  {
    title: "a repeated initiation of a ringing call",
    self: caller,
    from: { kind: "initiating" },
    event: initiated("ringing"),
    to: { kind: "ringing" },
  },
  { title: "a device alerts", self: caller, from: { kind: "reaching" }, event: ringing, to: { kind: "ringing" } },
  {
    title: "ringing overtakes the reply",
    self: caller,
    from: { kind: "initiating" },
    event: ringing,
    to: { kind: "ringing" },
  },
  {
    title: "the reply comes after ringing",
    self: caller,
    from: { kind: "ringing" },
    event: initiated("reaching"),
    to: { kind: "ringing" },
  },
  {
    title: "the callee answered",
    self: caller,
    from: { kind: "ringing" },
    event: connected,
    to: { kind: "connecting", since },
  },
  {
    title: "the answer twice",
    self: caller,
    from: { kind: "connected", since: 1 },
    event: connected,
    to: { kind: "connected", since: 1 },
  },
  {
    title: "late ringing",
    self: caller,
    from: { kind: "connecting", since: 1 },
    event: ringing,
    to: { kind: "connecting", since: 1 },
  },
  {
    title: "this device won",
    self: callee,
    from: { kind: "answering" },
    event: connected,
    to: { kind: "connecting", since },
  },
  {
    title: "another device won the race",
    self: callee,
    from: { kind: "answering" },
    event: late,
    to: answeredElsewhere,
  },
  { title: "another device answered", self: callee, from: { kind: "incoming" }, event: stopped, to: answeredElsewhere },
  {
    title: "a stale cancel for the device that won",
    self: callee,
    from: { kind: "connected", since: 1 },
    event: stopped,
    to: { kind: "connected", since: 1 },
  },
  {
    title: "media flows",
    self: callee,
    from: { kind: "connecting", since: 1 },
    event: { type: "media", state: "connected" },
    to: { kind: "connected", since: 1 },
  },
  {
    title: "media breaks",
    self: caller,
    from: { kind: "connected", since: 1 },
    event: { type: "media", state: "recovering" },
    to: { kind: "reconnecting", since: 1 },
  },
  {
    title: "media before the answer",
    self: caller,
    from: { kind: "ringing" },
    event: { type: "media", state: "connected" },
    to: { kind: "ringing" },
  },
  {
    title: "media has never flowed",
    self: caller,
    from: { kind: "connecting", since: 1 },
    event: { type: "media", state: "recovering" },
    to: { kind: "connecting", since: 1 },
  },
  { title: "somebody hung up", self: caller, from: { kind: "connected", since: 1 }, event: ended, to: completed },
  { title: "nothing wakes an ended call", self: caller, from: completed, event: connected, to: completed },
  {
    title: "the microphone could not be opened",
    self: callee,
    from: { kind: "answering" },
    event: { type: "answer_failed" },
    to: { kind: "incoming" },
  },
  {
    title: "a snapshot tells of the answer",
    self: caller,
    from: { kind: "reaching" },
    event: snapshot({ answeredBy: bob }),
    to: { kind: "connecting", since },
  },
  {
    title: "a snapshot tells that another device has it",
    self: callee,
    from: { kind: "incoming" },
    event: snapshot({ answeredBy: bobsOther }),
    to: answeredElsewhere,
  },
  {
    title: "a snapshot of a ringing call",
    self: callee,
    from: { kind: "incoming" },
    event: snapshot({ state: "ringing" }),
    to: { kind: "incoming" },
  },
  {
    title: "a caller learns of the end by a snapshot",
    self: caller,
    from: { kind: "ringing" },
    event: snapshot({ state: "ended", outcome: "missed", reason: "timed_out", durationSeconds: 0 }),
    to: over({ kind: "over", outcome: "missed", reason: "timed_out", durationSeconds: 0 }),
  },
  {
    title: "a device that rang while cut off did not miss a call that was answered elsewhere",
    self: callee,
    from: { kind: "incoming" },
    event: snapshot({ state: "ended", outcome: "completed", reason: "hung_up", durationSeconds: 3 }),
    to: over({ kind: "cancelled", reason: "answered_elsewhere", byDevice: null }),
  },
  {
    title: "nobody knows the call",
    self: callee,
    from: { kind: "answering" },
    event: heard({ type: "call_not_found", callId }),
    to: over({ kind: "failed", code: "call_not_found" }),
  },
  {
    title: "[HAND-3] another device of this user's has the call now",
    self: callee,
    from: { kind: "connected", since },
    event: heard({ type: "call_handed_off", callId, rev: 5, ...bobsOther }),
    to: over({ kind: "cancelled", reason: "handed_off", byDevice: bobsOther.deviceId }),
  },
  {
    title: "[HAND-3] the other one's device has changed",
    self: caller,
    from: { kind: "connected", since },
    event: heard({ type: "call_handed_off", callId, rev: 5, ...bobsOther }),
    to: { kind: "connected", since },
  },
  {
    title: "[HAND-3] the call has come here",
    self: callee,
    from: { kind: "moving", since },
    event: heard({ type: "call_handed_off", callId, rev: 5, ...bob }),
    to: { kind: "connecting", since },
  },
  {
    title: "[RES-2] the call has come here, as a snapshot says after a gap",
    self: callee,
    from: { kind: "moving", since },
    event: snapshot({ participants: [{ ...bob, name: "Bob", state: "joined" }] }),
    to: { kind: "connecting", since },
  },
  {
    title: "[RES-2] the call has not come here yet",
    self: callee,
    from: { kind: "moving", since },
    event: snapshot({ answeredBy: bobsOther, participants: [{ ...bobsOther, name: "Bob", state: "joined" }] }),
    to: { kind: "moving", since },
  },
  {
    title: "[HAND-4] the call stays where it was",
    self: callee,
    from: { kind: "moving", since },
    event: heard({ type: "call_handoff_failed", callId, rev: 5, deviceId: bob.deviceId }),
    to: over({ kind: "not_moved" }),
  },
  {
    title: "[HAND-5] hung up on the way here",
    self: callee,
    from: { kind: "moving", since },
    event: ended,
    to: completed,
  },
  {
    title: "[RES-3] to be left after a gap",
    self: callee,
    from: { kind: "reconnecting", since },
    event: heard({ type: "recover", callId, rev: 5, action: "leave" }),
    to: over({ kind: "cancelled", reason: "handed_off", byDevice: null }),
  },
  {
    title: "[RES-3] a device that once had the call takes it back",
    self: callee,
    from: { kind: "moving", since },
    event: heard({ type: "recover", callId, rev: 5, action: "leave" }),
    to: { kind: "moving", since },
  },
];

describe("a call as one device lives it", () => {
  test.each(rows)("$title: $from.kind -> $to.kind", ({ self, from, event, to }) => {
    expect(reduce(from, event, self)).toEqual(to);
  });

  test.each(rows)("$title, told twice, is the same", ({ self, from, event, to }) => {
    expect(reduce(reduce(from, event, self), event, self)).toEqual(to);
  });
});
