import { useEffect, useState } from "preact/hooks";
import { Woken, wokenByAddress } from "../push/woken.ts";
import type { Calls } from "./use-calls.ts";

/** Answers a call by the notification that its user has pressed, as soon as it rings here. */
export function useWoken(userId: string, { ringing, accept }: Calls): void {
  const [answering, setAnswering] = useState(() => {
    const woken = wokenByAddress();
    return woken?.answer ? woken.callId : null;
  });

  useEffect(() => {
    const listen = ({ data, ports }: MessageEvent<unknown>) => {
      const woken = Woken.safeParse(data).data;
      if (woken?.userId !== userId) return;
      ports[0]?.postMessage("here");
      if (woken.answer) setAnswering(woken.callId);
    };
    // Not there without a secure context.
    navigator.serviceWorker?.addEventListener("message", listen);
    return () => navigator.serviceWorker?.removeEventListener("message", listen);
  }, [userId]);

  const call = ringing.find(({ id, phase }) => id === answering && phase.kind === "incoming");
  useEffect(() => {
    if (!call) return;
    setAnswering(null);
    accept(call, call.callType !== "audio");
  }, [call]);
}
