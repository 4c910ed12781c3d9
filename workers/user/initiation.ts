import type { CallInitiate } from "../../schema/client-messages.ts";
import type { Refusal } from "../../schema/errors.ts";

/** Why a well-formed initiation makes no sense; null if it does. Pure. */
export function initiationRefusal(callerId: string, { callType, calleeIds }: CallInitiate): Refusal | null {
  if (calleeIds.includes(callerId)) return { code: "bad_message", message: "calleeIds: nobody calls themselves" };
  switch (callType) {
    case "video":
    case "audio":
      if (calleeIds.length === 1) return null;
      return { code: "bad_message", message: `calleeIds: a call of type ${callType} has one callee` };
    case "group":
      return null;
  }
}
