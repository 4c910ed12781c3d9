import type { Participant } from "./participant.ts";
import type { VideoSource } from "./wants.ts";

/** The people of a group call and their media. The call's `changed` tells of every change. */
export interface Room {
  /** Everybody of the call but this device: those who are in it, are being called, or have left. */
  readonly participants: readonly Participant[];
  /** This device's user speaks, or was the last who did. */
  readonly isSpeaking: boolean;
  /** The call's media flows: by the room or, between two who are left, without it. */
  readonly isUp: boolean;
  /** The screen that this device shares. */
  readonly screen: MediaStreamTrack | null;
  /** Packets are lost or late: turning the camera off leaves more room for the voice. */
  readonly isPoor: boolean;

  /**
   * Says how high a participant's video is shown here, in pixels, and 0 when it is not any more: no more is sent than
   * is shown. Whoever never says gets all there is.
   * @param key of the participant
   */
  show(key: string, source: VideoSource, height: number): void;

  /** @throws SwitchboardError `screen_denied`: its user has chosen none */
  shareScreen(): Promise<void>;

  stopSharing(): void;

  /** Raw statistics of the connection (W3C webrtc-stats); null before there is one. */
  stats(): Promise<RTCStatsReport | null>;
}
