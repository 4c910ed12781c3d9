import { useEffect, useState } from "preact/hooks";
import type { Switchboard } from "../../client/index.ts";
import { canPush, isSubscribed, subscribe } from "../push/subscription.ts";

export interface Push {
  /** `unavailable`: the browser or the deployment cannot. */
  readonly state: "unavailable" | "off" | "asking" | "on" | "denied" | "failed";
  readonly enable: () => void;
}

/**
 * Whether this device rings while the page is closed.
 * @param isLookedAt somebody wants to know; until then it only matters where it was allowed before
 */
export function usePush(switchboard: Switchboard, deviceId: string, isLookedAt: boolean): Push {
  const [state, setState] = useState<Push["state"]>("unavailable");
  const [key, setKey] = useState<string | null>(null);

  useEffect(() => {
    if (!canPush) return;
    const look = async () => {
      const isOn = await isSubscribed();
      if (!isOn && !isLookedAt) return;
      // Where the deployment has no key it pushes to no browsers, and there is nothing to allow.
      const { publicKey } = await switchboard.api.vapidKey();
      setKey(publicKey);
      if (Notification.permission === "denied") setState("denied");
      else if (!isOn) setState("off");
      // Each window is a device of its own: the browser's subscription is told for this one too.
      else setState(await subscribe(switchboard.api, deviceId, publicKey));
    };
    look().catch(() => setState("unavailable"));
  }, [switchboard, deviceId, isLookedAt]);

  const enable = () => {
    if (key === null) return;
    setState("asking");
    subscribe(switchboard.api, deviceId, key).then(setState, () => setState("failed"));
  };
  return { state, enable };
}
