import { useState } from "preact/hooks";
import type { Call } from "../../client/index.ts";
import { errorText } from "../text.ts";
import { Icon } from "./icon.tsx";

interface CallHintProps {
  readonly call: Call;
  readonly trouble: string | null;
  readonly onCameraOff: () => void;
}

/** What the user may want to know, and can do something about. */
export function CallHint({ call: { media }, trouble, onCameraOff }: CallHintProps) {
  const [isDismissed, setDismissed] = useState(false);
  const { withoutVideo, isPoor, camera } = media;
  const text = trouble ?? (isPoor ? POOR : withoutVideo && errorText(withoutVideo));
  const isShown = text !== null && !(isDismissed && !isPoor && trouble === null);
  return (
    <div class="hint-area" role="status">
      {isShown && (
        <div class="hint">
          {isPoor && <Icon name="signal" />}
          <span>{text}</span>
          {isPoor && camera && (
            <button type="button" class="hint-action" onClick={onCameraOff}>
              Turn camera off
            </button>
          )}
          {!isPoor && trouble === null && (
            <button type="button" class="hint-action" onClick={() => setDismissed(true)}>
              OK
            </button>
          )}
        </div>
      )}
    </div>
  );
}

const POOR = "The connection is poor.";
