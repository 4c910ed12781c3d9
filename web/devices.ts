import * as z from "zod";
import { parseJson } from "../schema/json.ts";

/** Which camera, microphone and speaker the user wants, kept for the next visit. */
const DeviceChoice = z.object({
  cameraId: z.string().optional(),
  microphoneId: z.string().optional(),
  speakerId: z.string().optional(),
});
export type DeviceChoice = z.infer<typeof DeviceChoice>;

const KEY = "switchboard.devices";

export function storedDevices(): DeviceChoice {
  const parsed = DeviceChoice.safeParse(parseJson(localStorage.getItem(KEY) ?? ""));
  return parsed.success ? parsed.data : {};
}

export function storeDevices(choice: DeviceChoice): void {
  localStorage.setItem(KEY, JSON.stringify(choice));
}

/** Safari has no way to choose the speaker. */
export const canChooseSpeaker = "setSinkId" in HTMLMediaElement.prototype;
