import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { CallMedia } from "../../client/index.ts";
import { canChooseSpeaker, type DeviceChoice, storeDevices, storedDevices } from "../devices.ts";
import { useMediaDevices } from "../hooks/use-media-devices.ts";
import { RoundButton } from "./button.tsx";
import { DeviceSelect } from "./device-select.tsx";

interface DeviceSettingsProps {
  readonly media: CallMedia;
  readonly onClose: () => void;
  readonly onSpeaker: (speakerId: string) => void;
  readonly onChange: (change: Promise<void>) => void;
}

export function DeviceSettings({ media, onClose, onSpeaker, onChange }: DeviceSettingsProps) {
  const panel = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    const opener = document.activeElement;
    panel.current?.focus();
    return () => opener instanceof HTMLElement && opener.focus();
  }, []);
  const devices = useMediaDevices();
  const [choice, setChoice] = useState(storedDevices);
  const choose = (change: DeviceChoice) => {
    const next = { ...choice, ...change };
    storeDevices(next);
    setChoice(next);
  };
  return (
    <section
      ref={panel}
      class="settings"
      aria-label="Devices"
      tabIndex={-1}
      onKeyDown={(event) => event.key === "Escape" && onClose()}
    >
      <div class="settings-head">
        <h3>Devices</h3>
        <RoundButton icon="close" label="Close devices" tone="glass" onClick={onClose} />
      </div>
      <DeviceSelect
        label="Camera"
        kind="videoinput"
        devices={devices}
        value={choice.cameraId}
        onChange={(cameraId) => {
          choose({ cameraId });
          if (media.camera) onChange(media.setCamera(true, cameraId));
        }}
      />
      <DeviceSelect
        label="Microphone"
        kind="audioinput"
        devices={devices}
        value={choice.microphoneId}
        onChange={(microphoneId) => {
          choose({ microphoneId });
          onChange(media.setMicrophone(microphoneId));
        }}
      />
      {canChooseSpeaker && (
        <DeviceSelect
          label="Speaker"
          kind="audiooutput"
          devices={devices}
          value={choice.speakerId}
          onChange={(speakerId) => {
            choose({ speakerId });
            onSpeaker(speakerId);
          }}
        />
      )}
    </section>
  );
}
