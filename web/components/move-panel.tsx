import { useState } from "preact/hooks";
import type { Api, Call } from "../../client/index.ts";
import type { Target } from "../device-name.ts";
import { useMoveTargets } from "../hooks/use-move-targets.ts";
import { errorText } from "../text.ts";
import { CallPanel } from "./call-panel.tsx";
import { Icon } from "./icon.tsx";

interface MovePanelProps {
  readonly call: Call;
  readonly api: Api;
  readonly deviceId: string;
  readonly onClose: () => void;
  readonly onAsk: (asking: Promise<void>) => void;
}

/** The user's other devices, of which one may take the call over. It stays here until that one does. */
export function MovePanel({ call, api, deviceId, onClose, onAsk }: MovePanelProps) {
  const { targets, error } = useMoveTargets(api, deviceId);
  const [asked, setAsked] = useState<Target | null>(null);
  const ask = (target: Target) => {
    const asking = call.moveTo(target.deviceId);
    onAsk(asking);
    asking.then(
      () => setAsked(target),
      () => setAsked(null),
    );
  };
  return (
    <CallPanel label="Move to another device" closeLabel="Close moving" isAbove onClose={onClose}>
      {targets === null && error !== null && <p class="picker-empty">{errorText(error)}</p>}
      {targets?.length === 0 && <p class="picker-empty">None of your other devices is connected.</p>}
      <ul class="move-targets">
        {targets?.map((target) => (
          <li key={target.deviceId}>
            <button type="button" class="move-target" onClick={() => ask(target)}>
              <Icon name="devices" />
              <span class="picker-name">{target.name}</span>
            </button>
          </li>
        ))}
      </ul>
      <p class="move-asked" role="status">
        {asked && `${asked.name} was asked. Choose “Move here” there; until then the call stays here.`}
      </p>
    </CallPanel>
  );
}
