import { useId } from "preact/hooks";

interface DeviceSelectProps {
  readonly label: string;
  readonly kind: MediaDeviceKind;
  readonly devices: readonly MediaDeviceInfo[];
  readonly value: string | undefined;
  readonly onChange: (deviceId: string) => void;
}

export function DeviceSelect({ label, kind, devices, value, onChange }: DeviceSelectProps) {
  const id = useId();
  const options = devices.filter((device) => device.kind === kind && device.deviceId !== "");
  return (
    <div class="device">
      <label for={id}>{label}</label>
      <select
        id={id}
        value={value ?? options[0]?.deviceId ?? ""}
        disabled={options.length === 0}
        onChange={(event) => onChange(event.currentTarget.value)}
      >
        {options.length === 0 && <option value="">None found</option>}
        {options.map((device, index) => (
          <option key={device.deviceId} value={device.deviceId}>
            {device.label || `${label} ${index + 1}`}
          </option>
        ))}
      </select>
    </div>
  );
}
