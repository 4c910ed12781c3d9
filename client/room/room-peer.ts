import type { SentTrack } from "../../schema/room.ts";
import type { QualitySample } from "../quality.ts";
import type { Sources } from "./sending.ts";
import type { VideoSource } from "./wants.ts";

/** How a connection to a room stands: `interrupted` may pass by itself. */
export type RoomPath = "up" | "interrupted" | "gone";

/** What a connection tells its room. */
export interface RoomPeerEvents {
  /** Tracks were added or removed: the SFU has to be offered them. */
  negotiationNeeded(): void;
  path(state: RoomPath): void;
  /** A track of somebody else's began or stopped to flow. */
  remoteChanged(): void;
}

export interface RoomOffer {
  readonly sdp: string;
  readonly tracks: SentTrack[];
}

/** One connection to a room, as the room needs it. */
export interface RoomPeer {
  /** Sends these from now on, and what is null not. */
  publish(tracks: Sources<MediaStreamTrack | null>): Promise<void>;
  offer(): Promise<RoomOffer>;
  takeAnswer(sdp: string): Promise<void>;
  /** @returns the answer to the SFU's offer */
  answer(sdp: string): Promise<string>;
  /** Nobody wants to see a video higher than this: what is larger is not sent. Null: as high as it is. */
  limit(source: VideoSource, height: number | null): Promise<void>;
  /** What comes in on an m-line; null for one that is not there. */
  track(mid: string): MediaStreamTrack | null;
  sample(): Promise<QualitySample>;
  /** The raw statistics (W3C webrtc-stats), for diagnosis. */
  stats(): Promise<RTCStatsReport>;
  close(): void;
}

export interface RoomPeerOptions {
  readonly configuration: RTCConfiguration;
  readonly events: RoomPeerEvents;
}
