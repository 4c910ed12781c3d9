import type { QualitySample } from "./quality.ts";

const LOOK_MS = 100;

interface Watched {
  sample(): Promise<Pick<QualitySample, "received">>;
  /** Whether there is still something to wait for. */
  isOpen(): boolean;
}

/** Resolves when packets come again, or with false when none have in time. */
export async function mediaReturns({ sample, isOpen }: Watched, withinMs: number): Promise<boolean> {
  const before = await sample().catch(() => null);
  if (!before) return false;
  for (let waited = 0; waited < withinMs && isOpen(); waited += LOOK_MS) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    // A connection that was closed meanwhile has no statistics.
    const now = await sample().catch(() => null);
    if (!now) return false;
    if (now.received > before.received) return true;
  }
  return false;
}

/** A picture that can be shown by itself: browsers wait up to 3 s before they ask for one that they have missed. */
export async function sendWholePicture(sender: Pick<RTCRtpSender, "getParameters" | "setParameters">): Promise<void> {
  const parameters = sender.getParameters();
  const encodingOptions = parameters.encodings.map(() => ({ keyFrame: true }));
  // Where a browser cannot, the other side asks for one by itself.
  await sender.setParameters(parameters, { encodingOptions }).catch(() => {});
}
