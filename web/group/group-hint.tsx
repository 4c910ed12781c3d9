import { useState } from "preact/hooks";
import type { Call, Room } from "../../client/index.ts";
import { Icon } from "../components/icon.tsx";
import { errorText } from "../text.ts";

interface GroupHintProps {
  readonly call: Call;
  readonly room: Room;
  readonly trouble: string | null;
  readonly onCameraOff: () => void;
}

/** What the user may want to know, and can do something about. */
export function GroupHint({ call: { media, isOnHold }, room, trouble, onCameraOff }: GroupHintProps) {
  const [dismissed, setDismissed] = useState<string | null>(null);
  const { withoutVideo, camera } = media;
  const { isPoor, screen } = room;
  const told = trouble ?? (withoutVideo && errorText(withoutVideo));
  return (
    <div class="hint-area" role="status">
      {isPoor && (
        <div class="hint">
          <Icon name="signal" />
          <span>The connection is poor.</span>
          {camera && (
            <button type="button" class="hint-action" onClick={onCameraOff}>
              Turn camera off
            </button>
          )}
        </div>
      )}
      {screen && !isOnHold && (
        <div class="hint">
          <span>The others see your screen.</span>
          <button type="button" class="hint-action" onClick={() => room.stopSharing()}>
            Stop
          </button>
        </div>
      )}
      {told && told !== dismissed && (
        <div class="hint">
          <span>{told}</span>
          <button type="button" class="hint-action" onClick={() => setDismissed(told)}>
            OK
          </button>
        </div>
      )}
    </div>
  );
}
