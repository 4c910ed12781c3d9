import type { InCallMessage } from "../../schema/client-messages.ts";
import type { ServerMessage } from "../../schema/server-messages.ts";
import type { Answered } from "../rpc.ts";
import { errorMessage } from "../socket.ts";
import { NO_SUCH_CALL, type Verdict } from "./events.ts";
import { connected, ended } from "./notices.ts";
import type { CallView } from "./state.ts";
import { durationSeconds, snapshotOf } from "./view.ts";

/** What a command is answered from: the call as its user sees it, and the device that asked. */
export interface Asked {
  readonly message: InCallMessage;
  readonly deviceId: string;
  /** Undefined for a stranger. */
  readonly view: CallView | undefined;
}

/** The reply to a command, recomputed from the call's state: a repeated command gets the same one. */
export function replies({ message, deviceId, view }: Asked, verdict: Verdict, now: number): ServerMessage[] {
  const re = message.id === undefined ? {} : { re: message.id };
  const { callId } = message;
  if (!view) return notFound(message);
  switch (verdict.kind) {
    case "refused":
      if (verdict.code === "call_not_found") return notFound(message);
      return [errorMessage({ code: verdict.code, message: verdict.message }, message.id, callId)];
    case "already_answered":
      if (!view.answer) return [];
      return [{ type: "already_answered", ...re, callId, rev: view.rev, answeredBy: view.answer.by }];
    case "over":
      return ended(view).map((reply) => ({ ...reply, ...re }));
    case "handoff_wanted":
      return [{ type: "call_handoff_ready", ...re, callId, rev: view.rev, deviceId: verdict.deviceId }];
    case "done":
      return accepted(message, deviceId, view, now).map((reply) => ({ ...reply, ...re }));
  }
}

/** The same for who asks over HTTP. */
export function answered(view: CallView | undefined, verdict: Verdict): Answered {
  const refusal = verdict.kind === "refused" ? { code: verdict.code, message: verdict.message } : null;
  return { refusal, view: view ?? null };
}

/** Only an answer has a message of its own for it. */
function notFound({ type, id, callId }: InCallMessage): ServerMessage[] {
  if (type === "call_answer") return [{ type: "call_not_found", ...(id !== undefined && { re: id }), callId }];
  return [errorMessage(NO_SUCH_CALL, id, callId)];
}

function accepted(message: InCallMessage, deviceId: string, view: CallView, now: number): ServerMessage[] {
  const { callId, rev } = view;
  switch (message.type) {
    case "call_answer":
      return view.answer ? [connected({ ...view, answerSdp: null }, view.answer)] : [];
    case "call_decline":
      return [{ type: "call_declined", callId, rev, reason: message.reason }];
    case "call_end":
      return view.ended ? ended(view) : [left(view, now)];
    case "call_handoff":
      return [{ type: "call_handoff_ready", callId, rev, deviceId }];
    case "call_invite":
    case "call_sync":
      return [{ type: "call_state", ...snapshotOf(view, now) }];
    case "call_alerting":
    case "call_media":
    case "call_hold":
    case "call_negotiate":
    case "ice_candidate":
    // The room replies, once its node has.
    case "room_join":
    case "renegotiate":
    case "renegotiate_answer":
    case "room_update":
      return [];
  }
}

/** One of the user's two devices has left a group call that goes on for the user. */
function left(view: CallView, now: number): ServerMessage {
  const { callId, rev, answer } = view;
  const seconds = durationSeconds(answer, now);
  return { type: "call_ended", callId, rev, outcome: "completed", reason: "hung_up", durationSeconds: seconds };
}
