import type { Call } from "../../client/index.ts";
import { useRinging } from "../hooks/use-ringing.ts";
import { useSignal } from "../hooks/use-signal.ts";
import { playRingtone } from "../sound.ts";
import { Avatar } from "./avatar.tsx";
import { CaptionedButton } from "./button.tsx";
import { Dialog } from "./dialog.tsx";

interface RingScreenProps {
  readonly call: Call;
  /** Why it could not be accepted just now. */
  readonly trouble: string | null;
  readonly onAccept: (call: Call, video: boolean) => void;
}

const KINDS: Readonly<Record<Call["callType"], string>> = {
  video: "Video call",
  audio: "Voice call",
  group: "Group call",
};

/** Somebody calls. Escape silences this window only. */
export function RingScreen({ call, trouble, onAccept }: RingScreenProps) {
  useSignal(call.changed);
  useRinging(call, playRingtone);
  const name = call.person.name || "Somebody";
  const isVideo = call.callType !== "audio";
  const isAnswering = call.phase.kind === "answering";
  const kind = KINDS[call.callType];
  return (
    <Dialog label={`${kind} from ${name}`} class="ring" onCancel={() => call.ignore()}>
      <div class="ring-who">
        <span class="pulse" data-on={!isAnswering}>
          <Avatar userId={call.person.userId} name={name} size="large" />
        </span>
        <h2>{name}</h2>
        <p role="status">{isAnswering ? "Connecting…" : `${kind} for you`}</p>
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
