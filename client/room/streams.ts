import type { TrackSource } from "../../schema/room.ts";
import { type Carrier, flowing } from "./carriers.ts";
import { type Row, tracksBy } from "./people.ts";
import { SOURCES } from "./sending.ts";

type Playing = { [source in TrackSource]?: MediaStream };

/** A stream for each track that is played, the same one for as long as it is the same track. */
export class Streams {
  readonly #streams = new WeakMap<MediaStreamTrack, MediaStream>();

  /** What can be played of somebody: what flows, and is not muted. */
  of(row: Row, carriers: readonly Carrier[]): Playing {
    const { muted } = tracksBy(row);
    const playing: Playing = {};
    for (const source of SOURCES) {
      const track = muted.has(source) ? null : flowing(carriers, row, source);
      if (track) playing[source] = this.#stream(track);
    }
    return playing;
  }

  #stream(track: MediaStreamTrack): MediaStream {
    const stream = this.#streams.get(track) ?? new MediaStream([track]);
    this.#streams.set(track, stream);
    return stream;
  }
}
