import { serialize } from "node:v8";
import { expect, test } from "vitest";
import { MAX_PARTICIPANTS } from "../../../schema/limits.ts";
import { MAX_SENT_TRACKS, type RoomTrack, TrackSource } from "../../../schema/room.ts";
import { kept, restored } from "../../../workers/room/hibernation.ts";
import { type Live, NOTHING_LIVE } from "../../../workers/room/state.ts";

/** What an attachment holds, less what stands in it besides. */
const ROOM = 16_384 - 200;

function crowd(count: number, tracks: readonly RoomTrack[]): Live {
  const ids = Array.from({ length: count }, (_, i) => `${i}`.padStart(12, "p"));
  const each = <T>(value: T) => Object.fromEntries(ids.map((id) => [id, value]));
  return { ...NOTHING_LIVE, tracks: each(tracks), muted: each(TrackSource.options), speaker: ids[0] ?? null };
}

test("[ROOM-14] what hibernates comes back as it was", () => {
  const tracks = TrackSource.options.flatMap((source) => [
    { source, muted: false },
    { source, muted: true },
  ]);
  const live = crowd(3, tracks);
  expect(restored(kept(live))).toEqual(live);
  expect(restored(kept(NOTHING_LIVE))).toEqual(NOTHING_LIVE);
});

test("a full room that sends everything it can, and then some, fits into an attachment", () => {
  const tracks = Array.from({ length: MAX_SENT_TRACKS }, () => ({ source: "screen_audio" as const, muted: true }));
  expect(serialize(kept(crowd(3 * MAX_PARTICIPANTS, tracks))).length).toBeLessThan(ROOM);
});
