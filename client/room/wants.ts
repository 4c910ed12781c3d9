import { MAX_PRIORITY, type VideoRequest } from "../../schema/room.ts";
import type { Device } from "./people.ts";

/** What this device wants to see of the others, from what it shows. Pure. */

export type VideoSource = VideoRequest["source"];

/** One tile of a page. */
export interface Shown {
  /** Of the participant. */
  readonly key: string;
  readonly source: VideoSource;
  /** Pixels; 0 while it is not to be seen. */
  readonly height: number;
}

/** A layer serves a range of heights: what changes by less than a step is not worth a message. */
const STEP = 60;
/** Pixels; more than any screen shows. */
const MAX_HEIGHT = 4_320;

/**
 * One request for each tile of a device that is in the room. What is larger comes first where the bandwidth does not do
 * for all: it is what its user looks at.
 */
export function wantsOf(shown: Iterable<Shown>, devices: ReadonlyMap<string, Device>): VideoRequest[] {
  return [...shown].flatMap(({ key, source, height }): VideoRequest[] => {
    const participantId = devices.get(key)?.places[0];
    if (participantId === undefined) return [];
    const wanted = Math.min(MAX_HEIGHT, Math.ceil(Math.max(0, height) / STEP) * STEP);
    return [{ participantId, source, height: wanted, priority: priorityOf(wanted, source) }];
  });
}

/** A shared screen is what the talk is about. */
function priorityOf(height: number, source: VideoSource): number {
  const own = source === "screen" ? MAX_PRIORITY / 2 : 1;
  return Math.min(MAX_PRIORITY, Math.round(own + height / 10));
}
