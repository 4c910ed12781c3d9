import { SwitchboardError, type SwitchboardErrorCode } from "./errors.ts";
import type { Platform } from "./platform.ts";
import type { Screen } from "./room/shared-screen.ts";

export interface MediaChoice {
  readonly video: boolean;
  /** `deviceId` of `enumerateDevices`; the system's default without it. */
  readonly cameraId?: string | undefined;
  readonly microphoneId?: string | undefined;
}

export interface LocalMedia {
  readonly audio: MediaStreamTrack;
  readonly video: MediaStreamTrack | null;
  /** Why there is no picture although one was wanted: the call goes on by voice. */
  readonly withoutVideo: SwitchboardErrorCode | null;
}

type Kind = "microphone" | "camera";

/** Microphone and camera, or the microphone alone where the camera is missing or denied. */
export async function openMedia(platform: Pick<Platform, "getUserMedia">, choice: MediaChoice): Promise<LocalMedia> {
  if (!choice.video) return { audio: await openMicrophone(platform, choice), video: null, withoutVideo: null };
  try {
    // One request for both: browsers then ask their user once.
    const stream = await platform.getUserMedia({ audio: audio(choice), video: video(choice) });
    const [microphone] = stream.getAudioTracks();
    if (microphone) return { audio: microphone, video: stream.getVideoTracks()[0] ?? null, withoutVideo: null };
    throw new SwitchboardError("microphone_missing", "no microphone");
  } catch (error) {
    const microphone = await openMicrophone(platform, choice);
    return { audio: microphone, video: null, withoutVideo: mediaError("camera", error).code };
  }
}

/** @throws SwitchboardError `microphone_denied` or `microphone_missing` */
export async function openMicrophone(
  platform: Pick<Platform, "getUserMedia">,
  choice: Pick<MediaChoice, "microphoneId">,
): Promise<MediaStreamTrack> {
  return open(platform, "microphone", { audio: audio(choice) });
}

/** @throws SwitchboardError `camera_denied` or `camera_missing` */
export async function openCamera(
  platform: Pick<Platform, "getUserMedia">,
  choice: Pick<MediaChoice, "cameraId">,
): Promise<MediaStreamTrack> {
  return open(platform, "camera", { video: video(choice) });
}

/** A screen, a window or a tab, as its user chooses. @throws SwitchboardError `screen_denied` */
export async function openScreen(platform: Pick<Platform, "getDisplayMedia">): Promise<Screen> {
  const stream = await platform.getDisplayMedia({ video: { frameRate: { ideal: 15 } }, audio: true }).catch(() => null);
  const [video] = stream?.getVideoTracks() ?? [];
  if (!video) throw new SwitchboardError("screen_denied", "no screen was chosen");
  return { video, audio: stream?.getAudioTracks()[0] ?? null };
}

async function open(
  platform: Pick<Platform, "getUserMedia">,
  kind: Kind,
  constraints: MediaStreamConstraints,
): Promise<MediaStreamTrack> {
  const stream = await platform.getUserMedia(constraints).catch((error: unknown) => {
    throw mediaError(kind, error);
  });
  const [track] = stream.getTracks();
  if (!track) throw new SwitchboardError(`${kind}_missing`, `no ${kind}`);
  return track;
}

function audio({ microphoneId }: Pick<MediaChoice, "microphoneId">): MediaTrackConstraints {
  const processing = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  return { ...processing, ...(microphoneId !== undefined && { deviceId: { ideal: microphoneId } }) };
}

function video({ cameraId }: Pick<MediaChoice, "cameraId">): MediaTrackConstraints {
  const size = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
  return { ...size, ...(cameraId !== undefined && { deviceId: { ideal: cameraId } }) };
}

/** The names are those of Media Capture and Streams, section 10.2 (`getUserMedia`). */
function mediaError(kind: Kind, error: unknown): SwitchboardError {
  const name = error instanceof Error ? error.name : "";
  const denied = name === "NotAllowedError" || name === "SecurityError";
  return new SwitchboardError(
    denied ? `${kind}_denied` : `${kind}_missing`,
    `the ${kind} could not be opened: ${name}`,
  );
}
