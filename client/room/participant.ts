import type { ParticipantState } from "../../schema/call.ts";
import type { TrackSource } from "../../schema/room.ts";

/** Somebody in a group call besides this device: one of their devices, or they themselves while they are in with none. */
export interface Participant {
  /** The same for as long as they are in with this device. */
  readonly key: string;
  readonly userId: string;
  readonly name: string;
  readonly deviceId: string | null;
  /** `joined` are those who are in the call; the others are being called, or are not in it any more. */
  readonly state: ParticipantState;
  /** While they are called: one of their devices rings. */
  readonly isRinging: boolean;
  readonly isHolding: boolean;
  /** Speaks, or was the last who did. */
  readonly isSpeaking: boolean;
  /** What they send now. A video of it comes only once it is said to be shown. */
  readonly sends: ReadonlySet<TrackSource>;
  /** What they could send, and do not now. */
  readonly muted: ReadonlySet<TrackSource>;
  /** What there is to be played, by what it is; another stream when another connection carries it. */
  readonly streams: { readonly [source in TrackSource]?: MediaStream };
}
