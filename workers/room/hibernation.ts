import type { RoomTrack, TrackSource } from "../../schema/room.ts";
import type { Live, Request } from "./state.ts";

/**
 * What of a room hibernates with its node's socket: an attachment holds 16 KB, which 32 participants fill that all send
 * everything and wait for an answer, so a track is a letter. Pure.
 */
export interface Kept {
  readonly requests: readonly Request[];
  /** By participant: a letter for each track, a capital for a muted one. */
  readonly tracks: Readonly<Record<string, string>>;
  readonly muted: Readonly<Record<string, string>>;
  readonly speaker: string | null;
  readonly probe: Live["probe"];
}

const LETTERS: Readonly<Record<TrackSource, string>> = { camera: "c", microphone: "m", screen: "s", screen_audio: "a" };

export function kept({ requests, tracks, muted, speaker, probe }: Live): Kept {
  return {
    requests,
    tracks: mapped(tracks, (all) => all.map(letterOf).join("")),
    muted: mapped(muted, (sources) => sources.map((source) => LETTERS[source]).join("")),
    speaker,
    probe,
  };
}

export function restored({ requests, tracks, muted, speaker, probe }: Kept): Live {
  const sourcesOf = (letters: string) => tracksOf(letters).map(({ source }) => source);
  return {
    requests,
    tracks: mapped(tracks, tracksOf),
    muted: mapped(muted, sourcesOf),
    speaker,
    probe,
    goneUntil: null,
  };
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
