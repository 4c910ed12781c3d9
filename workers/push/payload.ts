import type { NoticePayload, PushPayload, RingPayload } from "../../schema/push.ts";
import { isoTimestamp } from "../../schema/time.ts";
import type { CallView } from "../call/state.ts";

export function ringPayload(view: CallView, callToken: string, now: number): RingPayload {
  return {
    type: "incoming_call",
    ...about(view),
    sentAt: isoTimestamp(now),
    expiresAt: isoTimestamp(view.ringUntil),
    callToken,
  };
}

export function noticePayload(view: CallView, type: NoticePayload["type"], now: number): NoticePayload {
  return { type, ...about(view), outcome: view.ended?.outcome ?? null, sentAt: isoTimestamp(now) };
}

/** The caller's device is nobody's business before an answer. */
function about({ callId, callType, caller }: CallView): Pick<PushPayload, "callId" | "callType" | "caller"> {
  return { callId, callType, caller: { userId: caller.userId, name: caller.name } };
}
