import * as z from "zod";
import { claimsOf } from "../../client/index.ts";
import type { CallSnapshot } from "../../schema/call.ts";
import { CallId, DeviceId, UserId } from "../../schema/ids.ts";
import type { NoticePayload, PushPayload, RingPayload } from "../../schema/push.ts";

/** What is shown of a call while no window is open. Pure. */

/** What a notification remembers of its call, for when it is pressed. */
export const CallReference = z.object({ callId: CallId, callToken: z.string(), userId: UserId, deviceId: DeviceId });
export type CallReference = z.infer<typeof CallReference>;

/** Of the Notifications API (WHATWG, section 2.1) what TypeScript's library lacks as well. */
export interface ShownNotification extends NotificationOptions {
  readonly title: string;
  readonly renotify?: boolean;
  readonly actions?: readonly { readonly action: "answer" | "decline"; readonly title: string }[];
}

const Claims = z.object({ sub: UserId, device: DeviceId });

/** @param call as the server says it stands now; null where it could not be asked */
export function notificationFor(payload: PushPayload, call: CallSnapshot | null): ShownNotification {
  if (payload.type !== "incoming_call") return notice(payload);
  const rings = call?.state === "reaching" || call?.state === "ringing";
  return rings ? ring(payload) : notice({ ...payload, type: noticeOf(call) });
}

/** A later notification of the same call takes its place. */
function ring({ callId, callType, caller, callToken }: RingPayload): ShownNotification {
  const claims = Claims.safeParse(claimsOf(callToken)).data;
  return {
    title: caller.name || "Somebody",
    body: callType === "audio" ? "Voice call for you" : "Video call for you",
    tag: callId,
    renotify: true,
    requireInteraction: true,
    actions: [
      { action: "answer", title: "Answer" },
      { action: "decline", title: "Decline" },
    ],
    data: { callId, callToken, userId: claims?.sub, deviceId: claims?.device },
  };
}

function notice({ type, callId, caller }: Pick<NoticePayload, "type" | "callId" | "caller">): ShownNotification {
  return { title: caller.name || "Somebody", body: NOTICES[type], tag: callId, silent: type !== "missed_call" };
}

const NOTICES: Readonly<Record<NoticePayload["type"], string>> = {
  missed_call: "Missed call",
  answered_elsewhere: "Answered on another device",
  call_over: "The call is over",
};

/** A push may come when the ringing is over. */
function noticeOf(call: CallSnapshot | null): NoticePayload["type"] {
  if (call === null || call.state !== "ended") return call === null ? "missed_call" : "answered_elsewhere";
  if (call.outcome === "completed") return "answered_elsewhere";
  return call.outcome === "declined" || call.outcome === "failed" ? "call_over" : "missed_call";
}
