import type { TrackSource } from "../../schema/room.ts";

/** What this device sends into a room. Pure. */

export type Sources<T> = { readonly [source in TrackSource]: T };

/** What there is to send. */
export interface Sending extends Sources<MediaStreamTrack | null> {
  readonly isMuted: boolean;
  /** On hold nothing is sent. */
  readonly isOnHold: boolean;
}

export const SOURCES: readonly TrackSource[] = ["camera", "microphone", "screen", "screen_audio"];

/** What the others are to know as muted: it stays negotiated, and costs nothing. */
export function mutedOf({ camera, isMuted, isOnHold }: Sending): TrackSource[] {
  if (isOnHold) return [...SOURCES];
  return [...(camera ? [] : ["camera" as const]), ...(isMuted ? ["microphone" as const] : [])];
}

/** What a sender is to have now. */
export function tracksOf({ isOnHold, ...sending }: Sending): Sources<MediaStreamTrack | null> {
  return isOnHold ? { camera: null, microphone: null, screen: null, screen_audio: null } : sending;
}

/**
 * A camera's three layers (W3C WebRTC, section 5.2.4, `sendEncodings`), the smallest first. Each is twice as high as
 * the one before, and takes three times its bits: more is not seen, less is.
 */
export const CAMERA_LAYERS: RTCRtpEncodingParameters[] = [
  { rid: "r0", scaleResolutionDownBy: 4, maxBitrate: 150_000 },
  { rid: "r1", scaleResolutionDownBy: 2, maxBitrate: 500_000 },
  { rid: "r2", scaleResolutionDownBy: 1, maxBitrate: 1_700_000 },
];

/** Pixels of the largest layer, as the SFU reckons. */
const FULL_HEIGHT = 720;

/**
 * Which of its layers a sender sends when the others want its video so high.
 * @param height pixels; 0: nobody wants it; null: as high as it is
 */
export function activeLayers(height: number | null, layers: number): boolean[] {
  const last = layers - 1;
  const top = height === null ? last : lowestThatDoes(height, last);
  return Array.from({ length: layers }, (_, layer) => height !== 0 && layer <= top);
}

function lowestThatDoes(height: number, last: number): number {
  for (let layer = 0; layer < last; layer++) if (FULL_HEIGHT / 2 ** (last - layer) >= height) return layer;
  return last;
}
