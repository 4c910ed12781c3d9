import type { Call, Room } from "../../client/index.ts";
import { RoundButton } from "../components/button.tsx";

/** Phones have no screen to choose. */
const canShareScreen = "getDisplayMedia" in (navigator.mediaDevices ?? {});

interface GroupControlsProps {
  readonly call: Call;
  readonly room: Room;
  readonly hasSettings: boolean;
  readonly onSettings: () => void;
  readonly onCamera: (isOn: boolean) => void;
  readonly onShare: (isOn: boolean) => void;
}

export function GroupControls({ call, room, hasSettings, onSettings, onCamera, onShare }: GroupControlsProps) {
  const { media } = call;
  const hasCamera = media.camera !== null;
  const isSharing = room.screen !== null;
  return (
    <div class="controls">
      <RoundButton
        icon={media.isMuted ? "microphoneOff" : "microphone"}
        label={media.isMuted ? "Unmute" : "Mute"}
        tone="glass"
        isActive={media.isMuted}
        autoFocus={!call.isOnHold}
        onClick={() => media.mute(!media.isMuted)}
      />
      <RoundButton
        icon={hasCamera ? "video" : "videoOff"}
        label={hasCamera ? "Turn camera off" : "Turn camera on"}
        tone="glass"
        isActive={!hasCamera}
        onClick={() => onCamera(!hasCamera)}
      />
      {call.isOnHold && (
        <RoundButton icon="play" label="Resume" tone="glass" isActive autoFocus onClick={() => void call.hold(false)} />
      )}
      {canShareScreen && !call.isOnHold && (
        <RoundButton
          icon="screen"
          label={isSharing ? "Stop sharing your screen" : "Share your screen"}
          tone="glass"
          isActive={isSharing}
          disabled={!room.isUp && !isSharing}
          onClick={() => onShare(!isSharing)}
        />
      )}
      <RoundButton icon="settings" label="Devices" tone="glass" isExpanded={hasSettings} onClick={onSettings} />
      <RoundButton icon="hangUp" label="Leave" tone="danger" onClick={() => call.hangUp()} />
    </div>
  );
}
