import type { Call } from "../../client/index.ts";
import { useSignal } from "../hooks/use-signal.ts";
import { Icon } from "./icon.tsx";

interface HeldBarProps {
  readonly call: Call;
  readonly canSwitch: boolean;
  readonly onSwitch: () => void;
}

/** Another call of this window, which its user has put on hold. */
export function HeldBar({ call, canSwitch, onSwitch }: HeldBarProps) {
  useSignal(call.changed);
  const name = call.person.name || "Somebody";
  return (
    <div class="held">
      <Icon name="pause" />
      <span class="held-name">
        <strong>{name}</strong> is on hold
      </span>
      <button type="button" disabled={!canSwitch} onClick={onSwitch} aria-label={`Switch to ${name}`}>
        Switch
      </button>
      <button type="button" onClick={() => call.hangUp()} aria-label={`Hang up ${name}`}>
        Hang up
      </button>
    </div>
  );
}
