import type { ServerMessage } from "../schema/server-messages.ts";

/** Who has put a call on hold. */
export interface Holds {
  /** When this user did, in Unix ms; null while they do not. */
  readonly since: number | null;
  readonly peer: boolean;
}

export const NOBODY_HOLDS: Holds = { since: null, peer: false };

/** After a message: what the other one does. Whether this user holds is decided on this device. */
export function withHold(holds: Holds, message: ServerMessage, userId: string): Holds {
  const peer = peerHolds(message, userId);
  return peer === undefined || peer === holds.peer ? holds : { ...holds, peer };
}

function peerHolds(message: ServerMessage, userId: string): boolean | undefined {
  if (message.type === "call_held" && message.userId !== userId) return message.on;
  if (message.type !== "call_state") return undefined;
  const other = message.participants.find((participant) => participant.userId !== userId);
  return other && (other.held ?? false);
}
