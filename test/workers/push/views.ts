import type { PushTarget } from "../../../schema/push.ts";
import type { PushProvider } from "../../../schema/push-token.ts";
import type { CallView } from "../../../workers/call/state.ts";

export const ADA = "0190a000-0000-7000-8000-0000000000a1";
export const BOB = "0190a000-0000-7000-8000-0000000000b1";
export const CALL = "0190a000-0000-7000-8000-0000000000c1";
export const PHONE = "0190a000-0000-7000-8000-0000000000d1";
export const TABLET = "0190a000-0000-7000-8000-0000000000d2";
/** Unix ms. */
export const NOW = 1_790_000_000_000;
export const RING_UNTIL = NOW + 20_000;

/** Ada rings Bob: the call as Bob's devices may know it. */
export function ringingView(changes: Partial<CallView> = {}): CallView {
  return {
    callId: CALL,
    rev: 1,
    userId: BOB,
    role: "callee",
    callType: "video",
    caller: { userId: ADA, name: "Ada", deviceId: TABLET },
    invitedBy: ADA,
    state: "reaching",
    createdAt: RING_UNTIL - 30_000,
    ringUntil: RING_UNTIL,
    offer: "offer",
    answerSdp: null,
    answer: null,
    ended: null,
    reacted: [],
    dismissed: [],
    joined: [],
    former: [],
    onCallSocket: [],
    hasIdleDevices: false,
    mayMerge: true,
    moves: { count: 0, last: null },
    drops: { count: 0, last: null },
    turns: 0,
    turnedAt: 0,
    people: [],
    ...changes,
  };
}

type Ended = NonNullable<CallView["ended"]>;

export function endedView(outcome: Ended["outcome"], changes: Partial<CallView> = {}): CallView {
  const ended: Ended = { outcome, reason: "hung_up", at: NOW, by: null, mergedInto: null };
  return ringingView({ state: "ended", ended, ...changes });
}

export function target(provider: PushProvider, deviceId: string = PHONE): PushTarget {
  return { deviceId, push: { provider, token: `token-of-${deviceId}` } };
}
