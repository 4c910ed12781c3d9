import * as z from "zod";
import { claimsOf } from "../../client/index.ts";
import type { CallSnapshot } from "../../schema/call.ts";
import { CallId, DeviceId, UserId } from "../../schema/ids.ts";
import type { NoticePayload, RingPayload } from "../../schema/push.ts";

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

/** A call as the server says it stands; `unknown` where nobody answers, `gone` where it knows none for this device. */
export type Standing = CallSnapshot | "unknown" | "gone";

export function notificationFor(payload: RingPayload, standing: Standing): ShownNotification {
  return rings(standing) ? ring(payload) : noticeFor({ ...payload, type: noticeOf(standing) });
}

/**
 * Without an answer it rings. A push is delivered only for as long as its call can ring: most likely it does, and a ring
 * for nothing is over within 30 s, whereas a call that was taken for missed is.
 */
export function rings(standing: Standing): boolean {
  if (standing === "unknown") return true;
  return standing !== "gone" && (standing.state === "reaching" || standing.state === "ringing");
}

/** How long a push rings at most, in ms. Both times are the server's: this device's clock may be wrong. */
export function ringMs({ sentAt, expiresAt }: RingPayload): number {
  return Math.max(0, Date.parse(expiresAt) - Date.parse(sentAt));
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

export function noticeFor({
  type,
  callId,
  caller,
}: Pick<NoticePayload, "type" | "callId" | "caller">): ShownNotification {
  return { title: caller.name || "Somebody", body: NOTICES[type], tag: callId, silent: type !== "missed_call" };
}

const NOTICES: Readonly<Record<NoticePayload["type"], string>> = {
  missed_call: "Missed call",
  answered_elsewhere: "Answered on another device",
  call_over: "The call is over",
};

/** A push may come when the ringing is over. */
function noticeOf(call: Standing): NoticePayload["type"] {
  if (call === "unknown" || call === "gone") return "missed_call";
  if (call.state !== "ended") return "answered_elsewhere";
  if (call.outcome === "completed") return "answered_elsewhere";
  return call.outcome === "declined" || call.outcome === "failed" ? "call_over" : "missed_call";
}
