import { type Call, type CallPhase, isAnswered } from "../../client/index.ts";
import { RoundButton } from "./button.tsx";

interface CallControlsProps {
  readonly call: Call;
  readonly hasSettings: boolean;
  readonly onSettings: () => void;
  readonly onCamera: (isOn: boolean) => void;
}

/** The same buttons in the same places for the whole call, so that focus never jumps. */
export function CallControls({ call, hasSettings, onSettings, onCamera }: CallControlsProps) {
  const { media } = call;
  const hasCamera = media.camera !== null;
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
      <RoundButton
        icon={call.isOnHold ? "play" : "pause"}
        label={call.isOnHold ? "Resume" : "Hold"}
        tone="glass"
        isActive={call.isOnHold}
        autoFocus={call.isOnHold}
        disabled={!isAnswered(call.phase)}
        onClick={() => void call.hold(!call.isOnHold)}
      />
      <RoundButton icon="settings" label="Devices" tone="glass" isExpanded={hasSettings} onClick={onSettings} />
      <RoundButton icon="hangUp" label={leaveText(call.phase)} tone="danger" onClick={() => call.hangUp()} />
    </div>
  );
}

function leaveText({ kind }: CallPhase): string {
  if (kind === "initiating" || kind === "reaching" || kind === "ringing") return "Cancel call";
  return kind === "moving" ? "Leave it on the other device" : "Hang up";
}
