import type { RoomTrack, TrackSource } from "../../schema/room.ts";
import { type Live, NOTHING_LIVE } from "./state.ts";

/**
 * What of a room hibernates with its node's socket. While something is waited for the object does not hibernate: a timer
 * keeps it awake. An attachment holds 16 KB, so a track is a letter. Pure.
 */
export interface Kept {
  /** By participant: a letter for each track, a capital for a muted one. */
  readonly tracks: Readonly<Record<string, string>>;
  readonly muted: Readonly<Record<string, string>>;
  readonly speaker: string | null;
}

const LETTERS: Readonly<Record<TrackSource, string>> = { camera: "c", microphone: "m", screen: "s", screen_audio: "a" };

export function kept({ tracks, muted, speaker }: Live): Kept {
  return {
    tracks: mapped(tracks, (all) => all.map(letterOf).join("")),
    muted: mapped(muted, (sources) => sources.map((source) => LETTERS[source]).join("")),
    speaker,
  };
}

export function restored({ tracks, muted, speaker }: Kept): Live {
  const sourcesOf = (letters: string) => tracksOf(letters).map(({ source }) => source);
  return { ...NOTHING_LIVE, tracks: mapped(tracks, tracksOf), muted: mapped(muted, sourcesOf), speaker };
}

function letterOf({ source, muted }: RoomTrack): string {
  return muted ? LETTERS[source].toUpperCase() : LETTERS[source];
}

function tracksOf(letters: string): RoomTrack[] {
  return [...letters].flatMap((letter) => {
    const source = sourceOf(letter.toLowerCase());
    return source ? [{ source, muted: letter !== letter.toLowerCase() }] : [];
  });
}

function sourceOf(letter: string): TrackSource | null {
  switch (letter) {
    case "c":
      return "camera";
    case "m":
      return "microphone";
    case "s":
      return "screen";
    case "a":
      return "screen_audio";
    default:
      return null;
  }
}

function mapped<A, B>(record: Readonly<Record<string, A>>, change: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}
