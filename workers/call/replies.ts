import type { InCallMessage } from "../../schema/client-messages.ts";
import type { ServerMessage } from "../../schema/server-messages.ts";
import { errorMessage } from "../socket.ts";
import type { Verdict } from "./call.ts";
import type { CallView } from "./state.ts";
import { connected, ended } from "./view.ts";

/**
 * The reply to a command, recomputed from the call's state: a repeated command gets the same one.
 * @param view of the user who asked; undefined for a stranger
 */
export function replies(message: InCallMessage, verdict: Verdict, view: CallView | undefined): ServerMessage[] {
  const { id, callId } = message;
  const re = id === undefined ? {} : { re: id };
  if (verdict.kind === "refused" || !view) {
    if (message.type === "call_answer" && (!view || verdict.kind !== "refused" || verdict.code === "call_not_found")) {
      return [{ type: "call_not_found", ...re, callId }];
    }
    const { code, message: text } = verdict.kind === "refused" ? verdict : { code: "internal" as const, message: "" };
    return [errorMessage({ code, message: text }, id, callId)];
  }
  if (verdict.kind === "already_answered" && view.answer) {
    return [{ type: "already_answered", ...re, callId, rev: view.rev, answeredBy: view.answer.by }];
  }
  if (verdict.kind === "over") return ended(view).map((reply) => ({ ...reply, ...re }));
  return accepted(message, view).map((reply) => ({ ...reply, ...re }));
}

function accepted(message: InCallMessage, view: CallView): ServerMessage[] {
  switch (message.type) {
    case "call_answer":
      return view.answer ? [connected({ ...view, answerSdp: null }, view.answer)] : [];
    case "call_decline":
      return [{ type: "call_declined", callId: view.callId, rev: view.rev, reason: message.reason }];
    case "call_end":
      return ended(view);
    case "call_alerting":
    case "call_media":
    case "call_sync":
    case "call_negotiate":
    case "ice_candidate":
      return [];
  }
}
