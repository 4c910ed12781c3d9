import { useEffect } from "preact/hooks";
import type { Call } from "../../client/index.ts";
import { useSignal } from "../hooks/use-signal.ts";
import { playRingtone } from "../sound.ts";
import { Avatar } from "./avatar.tsx";
import { CaptionedButton } from "./button.tsx";
import { Dialog } from "./dialog.tsx";

interface RingScreenProps {
  readonly call: Call;
  /** The call that this window is in already. */
  readonly active: Call | null;
  /** Why it could not be accepted just now. */
  readonly trouble: string | null;
  readonly onAccept: (call: Call, video: boolean) => void;
}

/** Somebody calls. Escape silences this window only. */
export function RingScreen({ call, active, trouble, onAccept }: RingScreenProps) {
  useSignal(call.changed);
  useRinging(call);
  const name = call.person.name || "Somebody";
  const isVideo = call.callType === "video";
  const isAnswering = call.phase.kind === "answering";
  const kind = isVideo ? "Video call" : "Voice call";
  return (
    <Dialog label={`${kind} from ${name}`} class="ring" onCancel={() => call.ignore()}>
      <div class="ring-who">
        <span class="pulse" data-on={!isAnswering}>
          <Avatar userId={call.person.userId} name={name} size="large" />
        </span>
        <h2>{name}</h2>
        <p role="status">{isAnswering ? "Connecting…" : `${kind} for you`}</p>
        {active && <p class="ring-note">Accepting ends your call with {active.person.name || "the other person"}.</p>}
      </div>
      <p class="ring-error" role="alert">
        {trouble}
      </p>
      <div class="ring-actions">
        <CaptionedButton
          icon="hangUp"
          label="Decline"
          caption="Decline"
          tone="danger"
          size="large"
          disabled={isAnswering}
          onClick={() => call.decline()}
        />
        <CaptionedButton
          icon={isVideo ? "video" : "phone"}
          label={isVideo ? "Accept with video" : "Accept"}
          caption="Accept"
          tone="accept"
          size="large"
          autoFocus
          disabled={isAnswering}
          onClick={() => onAccept(call, isVideo)}
        />
      </div>
      <div class="ring-more">
        {isVideo && (
          <button type="button" class="quiet" disabled={isAnswering} onClick={() => onAccept(call, false)}>
            Accept without camera
          </button>
        )}
        <button type="button" class="quiet" disabled={isAnswering} onClick={() => call.ignore()}>
          Ignore in this window
        </button>
      </div>
    </Dialog>
  );
}

/** Sound, title and the word to the caller that it really rings here. */
function useRinging(call: Call): void {
  const rings = call.phase.kind === "incoming";
  useEffect(() => {
    if (!rings) return;
    call.alerting();
    const stop = playRingtone();
    const before = document.title;
    document.title = `${call.person.name || "Somebody"} is calling`;
    return () => {
      stop();
      document.title = before;
    };
  }, [call, rings]);
}
