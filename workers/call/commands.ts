import type { InCallMessage } from "../../schema/client-messages.ts";
import type { Command } from "./events.ts";

/** What a message asks of the machine; null for what is only carried, or only asks how things stand. Pure. */
export function commandOf(message: InCallMessage): Command | null {
  switch (message.type) {
    case "call_answer":
      return { type: "answer", sdp: message.sdp ?? null, join: message.join ?? false };
    case "call_decline":
      return { type: "decline", reason: message.reason };
    case "call_alerting":
      return { type: "alerting" };
    case "call_media":
      return { type: "media", state: message.state };
    case "call_hold":
      return { type: "hold", on: message.on };
    case "call_invite":
      return { type: "invite", callees: message.calleeIds };
    case "call_end":
      return { type: "end" };
    case "call_handoff": {
      const { sdp = null, toDeviceId: to = null, connectionId = null } = message;
      return { type: "handoff", sdp, to, connectionId };
    }
    case "ice_candidate":
    case "call_negotiate":
    case "call_sync":
    case "room_join":
    case "renegotiate":
    case "renegotiate_answer":
    case "room_update":
      return null;
  }
}
