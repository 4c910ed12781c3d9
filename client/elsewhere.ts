import type { CallSnapshot, CallType } from "../schema/call.ts";
import type { ServerMessage } from "../schema/server-messages.ts";
import type { Person } from "./call-options.ts";
import type { Self } from "./call-state.ts";

/** A call that another device of the user's is in, and that may be taken over. */
export interface CallElsewhere {
  readonly callId: string;
  /** Where it is. */
  readonly deviceId: string;
  readonly callType: CallType;
  readonly direction: Self["direction"];
  /** The other one. */
  readonly person: Person;
  /** When it was answered, in Unix ms by the server's clock. */
  readonly since: number;
  /** That device asks this one to take it over. */
  readonly isWanted: boolean;
}

type Owner = Pick<Self, "deviceId" | "userId">;

/** @returns null for a call that is none to take over */
export function elsewhere(call: CallSnapshot, { deviceId, userId }: Owner, isWanted = false): CallElsewhere | null {
  const own = call.participants.find((participant) => participant.userId === userId);
  const other = call.participants.find((participant) => participant.userId !== userId);
  const isAnswered = call.state === "connecting" || call.state === "connected" || call.state === "reconnecting";
  if (!isAnswered || !other || own?.deviceId === undefined || own.deviceId === deviceId) return null;
  // The media of a group is not one connection that could be offered a second one.
  if (call.callType === "group" || own.state !== "joined") return null;
  return {
    callId: call.callId,
    deviceId: own.deviceId,
    callType: call.callType,
    direction: call.caller.userId === userId ? "outgoing" : "incoming",
    person: { userId: other.userId, name: other.name },
    since: Date.parse(call.connectedAt ?? call.createdAt),
    isWanted,
  };
}

export type Whereabouts = "unknown" | "gone" | "none";

/** What a message says of where a call is: it must be asked who is in it, it is nowhere else any more, or nothing. */
export function whereabouts(message: ServerMessage, { deviceId, userId }: Owner): Whereabouts {
  switch (message.type) {
    case "call_elsewhere":
      return message.state === "ended" || message.deviceId === deviceId ? "gone" : "unknown";
    case "call_handed_off":
      if (message.userId !== userId) return "none";
      return message.deviceId === deviceId ? "gone" : "unknown";
    case "call_ended":
    // It rings here, so this user is in it with no device.
    case "incoming_call":
    case "call_waiting":
      return "gone";
    default:
      return "none";
  }
}
