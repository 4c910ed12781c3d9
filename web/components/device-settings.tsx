import { useState } from "preact/hooks";
import type { CallMedia } from "../../client/index.ts";
import { canChooseSpeaker, type DeviceChoice, storeDevices, storedDevices } from "../devices.ts";
import { useMediaDevices } from "../hooks/use-media-devices.ts";
import { CallPanel } from "./call-panel.tsx";
import { DeviceSelect } from "./device-select.tsx";

interface DeviceSettingsProps {
  readonly media: CallMedia;
  readonly onClose: () => void;
  readonly onSpeaker: (speakerId: string) => void;
  readonly onChange: (change: Promise<void>) => void;
}

export function DeviceSettings({ media, onClose, onSpeaker, onChange }: DeviceSettingsProps) {
  const devices = useMediaDevices();
  const [choice, setChoice] = useState(storedDevices);
  const choose = (change: DeviceChoice) => {
    const next = { ...choice, ...change };
    storeDevices(next);
    setChoice(next);
  };
  return (
    <CallPanel label="Devices" closeLabel="Close devices" onClose={onClose}>
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
    </CallPanel>
  );
}
