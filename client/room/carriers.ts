import type { TrackSource } from "../../schema/room.ts";
import { type Row, tracksBy } from "./people.ts";
import { SOURCES, type Sources } from "./sending.ts";

/** A connection that brings the others' tracks. While media moves there are two. */
export interface Carrier {
  /** Somebody's track as it comes in here; null if it does not. */
  track(row: Row, source: TrackSource): MediaStreamTrack | null;
  publish(tracks: Sources<MediaStreamTrack | null>): Promise<void>;
  close(): void;
}

/** The connection of a call that began between two. */
export interface Pair extends Carrier {
  /** The other one. */
  readonly peerId: string;
}

/** Its first packet is here: it can be played. */
export function flows(track: MediaStreamTrack | null): track is MediaStreamTrack {
  return track !== null && !track.muted && track.readyState === "live";
}

/** From the first of the connections, the newest, that brings anything. */
export function flowing(carriers: readonly Carrier[], row: Row, source: TrackSource): MediaStreamTrack | null {
  for (const carrier of carriers) {
    const track = carrier.track(row, source);
    if (flows(track)) return track;
  }
  return null;
}

/** All that came over the former connection, and is not muted, comes over the present one. */
export function isReplaced(former: Carrier, present: Carrier, rows: readonly Row[]): boolean {
  return rows.every((row) => {
    const { muted } = tracksBy(row);
    const missing = SOURCES.filter((source) => flowing([former], row, source) && !flowing([present], row, source));
    return missing.every((source) => muted.has(source));
  });
}
