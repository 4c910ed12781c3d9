import type { IceCandidate } from "../schema/client-messages.ts";
import type { QualitySample } from "./quality.ts";

export type MediaKind = "audio" | "video";
export type PathState = "connected" | "recovering" | "failed";

export interface Description {
  readonly sdpType: "offer" | "answer";
  readonly sdp: string;
}

/** What a connection tells its call. */
export interface PeerEvents {
  /** @param candidate null when gathering is complete */
  candidate(candidate: IceCandidate | null): void;
  /** A description for the other side, once the call is answered. */
  description(description: Description): void;
  path(state: PathState): void;
  /** A track came, went, or started or stopped to flow. */
  remoteChanged(): void;
  /** The other side answered that it takes no picture: it is in the call by voice. */
  pictureRefused(): void;
}

/** The media connection of one call, as the call needs it. */
export interface Peer {
  readonly remoteStream: MediaStream;
  /** Sends this track from now on; null sends nothing of that kind. */
  setTrack(kind: MediaKind, track: MediaStreamTrack | null): Promise<void>;
  createOffer(): Promise<string>;
  /** Before tracks are set, so that they take the places that the offer made. */
  acceptOffer(sdp: string): Promise<void>;
  /** @param takesPicture false: the other side is to send none until it offers one again */
  createAnswer(takesPicture: boolean): Promise<string>;
  /** The call is answered: from now on either side may negotiate. */
  established(answer?: string): Promise<void>;
  /** Whether the other side is heard and seen; the connection itself goes on. */
  play(isOn: boolean): void;
  describe(description: Description): Promise<void>;
  addCandidates(candidates: readonly IceCandidate[], endOfCandidates: boolean): Promise<void>;
  /**
   * Signalling is back after a gap: a path that broke meanwhile is renewed.
   * @param hasMoved the device has another network: the path is renewed whatever it seems to be
   */
  recover(hasMoved?: boolean): void;
  sample(): Promise<QualitySample>;
  /** The raw statistics (W3C webrtc-stats), for diagnosis. */
  stats(): Promise<RTCStatsReport>;
  close(): void;
}

export interface PeerOptions {
  readonly configuration: RTCConfiguration;
  /** Gives way when both sides offer at once; the callee is polite. */
  readonly isPolite: boolean;
  readonly events: PeerEvents;
  /** Before ICE is restarted: resolves when the other side can be told, with relays whose credentials are fresh. */
  readonly prepareRestart: () => Promise<RTCConfiguration>;
}
