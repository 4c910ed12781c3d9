import type { Call } from "../../client/index.ts";
import type { Calls } from "../hooks/use-calls.ts";
import { useRinging } from "../hooks/use-ringing.ts";
import { useSignal } from "../hooks/use-signal.ts";
import { playWaiting } from "../sound.ts";
import { Avatar } from "./avatar.tsx";

interface WaitingBannerProps {
  readonly call: Call;
  /** The call that this window is in has been answered: it can be put on hold. */
  readonly canHold: boolean;
  readonly trouble: string | null;
  readonly onAccept: Calls["accept"];
}

const CALLING: Readonly<Record<Call["callType"], string>> = {
  video: "is calling, with video",
  audio: "is calling",
  group: "is calling, with others",
};

/** Somebody calls while this window is in a call. Nothing happens to that one by itself. */
export function WaitingBanner({ call, canHold, trouble, onAccept }: WaitingBannerProps) {
  useSignal(call.changed);
  useRinging(call, playWaiting);
  const name = call.person.name || "Somebody";
  const isVideo = call.callType !== "audio";
  const isAnswering = call.phase.kind === "answering";
  return (
    <section class="waiting" aria-label={`${name} is calling`}>
      <div class="waiting-who">
        <Avatar userId={call.person.userId} name={name} size="small" />
        <p role="status">
          <strong>{name}</strong> {isAnswering ? "Connecting…" : CALLING[call.callType]}
        </p>
      </div>
      <p class="waiting-error" role="alert">
        {trouble}
      </p>
      <div class="waiting-actions">
        <button type="button" disabled={isAnswering} onClick={() => onAccept(call, isVideo, "end")}>
          End &amp; accept
        </button>
        {canHold && (
          <button type="button" disabled={isAnswering} onClick={() => onAccept(call, isVideo, "hold")}>
            Hold &amp; accept
          </button>
        )}
        <button type="button" class="waiting-decline" disabled={isAnswering} onClick={() => call.decline()}>
          Decline
        </button>
      </div>
    </section>
  );
}
