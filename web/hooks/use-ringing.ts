import { useEffect } from "preact/hooks";
import type { Call } from "../../client/index.ts";

/**
 * Sound, title and the word to the caller that it really rings here.
 * @param play starts the sound and gives the function that stops it; the same one at each rendering
 */
export function useRinging(call: Call, play: () => () => void): void {
  const rings = call.phase.kind === "incoming";
  useEffect(() => {
    if (!rings) return;
    call.alerting();
    const stop = play();
    const before = document.title;
    document.title = `${call.person.name || "Somebody"} is calling`;
    return () => {
      stop();
      document.title = before;
    };
  }, [call, rings, play]);
}
