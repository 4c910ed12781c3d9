import type { ServerMessage, ServerMessageOf } from "../schema/server-messages.ts";
import type { CallCommand } from "./call-commands.ts";
import type { CallMedia } from "./call-media.ts";
import { type CallPhase, isAnswered, type Self } from "./call-state.ts";

interface Listener {
  readonly media: CallMedia;
  /** After the message. */
  readonly phase: CallPhase;
  readonly self: Self;
}

/** Passes on to a call's media what concerns it. @returns what is to be said in return */
export async function feed(message: ServerMessage, { media, phase, self }: Listener): Promise<CallCommand | null> {
  switch (message.type) {
    case "call_connected":
    case "call_state":
      if (isAnswered(phase)) await media.established(self.direction === "outgoing" ? message.sdp : undefined);
      return null;
    case "ice_candidate":
      await media.addCandidates(message.candidates, message.endOfCandidates ?? false, message.connectionId);
      return null;
    case "call_negotiate":
      return negotiate(message, media, phase);
    case "call_handed_off":
      // The other one's device has changed; when it is this user's, this device has the right connection already.
      if (message.userId !== self.userId) await media.switchToNext();
      return null;
    case "room_pairing":
      return pairing(message, media);
    case "room_closed":
      await media.switchToNext();
      return null;
    case "call_handoff_failed":
    case "room_pairing_failed":
      media.dropNext();
      return null;
    default:
      return null;
  }
}

/** The two who are left connect with each other beside the room. */
async function pairing(
  { offer, connectionId }: ServerMessageOf<"room_pairing">,
  media: CallMedia,
): Promise<CallCommand | null> {
  if (!offer) {
    media.expectNext(connectionId);
    return null;
  }
  const sdp = await media.offerNext(connectionId);
  return { type: "call_negotiate", sdpType: "offer", sdp, connectionId };
}

async function negotiate(
  { sdp, sdpType, handoff, connectionId }: ServerMessageOf<"call_negotiate">,
  media: CallMedia,
  phase: CallPhase,
): Promise<CallCommand | null> {
  if (connectionId !== undefined && (handoff || (sdpType === "offer" && media.isExpecting(connectionId)))) {
    const answer = await media.answerNext(sdp, connectionId);
    return { type: "call_negotiate", sdpType: "answer", sdp: answer, connectionId };
  }
  // The other side's answer to this device's offer to take the call over.
  if (phase.kind === "moving") await media.established(sdp);
  else await media.describe({ sdpType, sdp }, connectionId);
  return null;
}
