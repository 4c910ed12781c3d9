import { useEffect, useState } from "preact/hooks";
import { type Call, errorCode, isAnswered } from "../../client/index.ts";
import { storedDevices } from "../devices.ts";
import { useSignal } from "../hooks/use-signal.ts";
import { playRingback } from "../sound.ts";
import { errorText } from "../text.ts";
import { CallControls } from "./call-controls.tsx";
import { CallHint } from "./call-hint.tsx";
import { CallStatus } from "./call-status.tsx";
import { DeviceSettings } from "./device-settings.tsx";
import { Dialog } from "./dialog.tsx";
import { LocalVideo } from "./local-video.tsx";
import { RemoteVideo } from "./remote-video.tsx";

interface CallScreenProps {
  readonly call: Call;
}

/** From the first ring to the last word. */
export function CallScreen({ call }: CallScreenProps) {
  useSignal(call.changed);
  const [hasSettings, setSettings] = useState(false);
  const [speakerId, setSpeakerId] = useState(storedDevices().speakerId);
  const [trouble, setTrouble] = useState<string | null>(null);
  const { media, phase } = call;
  useRingback(phase.kind === "ringing");

  const guarded = (change: Promise<void>) => {
    change.then(
      () => setTrouble(null),
      (error: unknown) => setTrouble(errorText(errorCode(error))),
    );
  };
  const setCamera = (isOn: boolean) => guarded(media.setCamera(isOn, storedDevices().cameraId));
  const name = call.person.name || "Somebody";

  return (
    <Dialog label={`Call with ${name}`} class={isAnswered(phase) ? "call is-answered" : "call"}>
      <RemoteVideo call={call} speakerId={speakerId} />
      {media.camera && <LocalVideo track={media.camera} />}
      <div class="call-top">
        <CallStatus call={call} />
      </div>
      <div class="call-bottom">
        <CallHint call={call} trouble={trouble} onCameraOff={() => setCamera(false)} />
        {hasSettings && (
          <DeviceSettings
            media={media}
            onClose={() => setSettings(false)}
            onSpeaker={setSpeakerId}
            onChange={guarded}
          />
        )}
        <CallControls
          call={call}
          hasSettings={hasSettings}
          onSettings={() => setSettings(!hasSettings)}
          onCamera={setCamera}
        />
      </div>
    </Dialog>
  );
}

function useRingback(rings: boolean): void {
  useEffect(() => (rings ? playRingback() : undefined), [rings]);
}
