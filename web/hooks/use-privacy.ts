import { useCallback, useEffect, useState } from "preact/hooks";
import { errorCode, type Settings, type Switchboard, type SwitchboardErrorCode } from "../../client/index.ts";

/** Whom this user lets through, and whether this device is to be left alone. */
export interface Privacy {
  /** Null until it has been read once. */
  readonly blocked: readonly string[] | null;
  readonly ringFrom: Settings["ringFrom"] | null;
  readonly relayOnly: boolean | null;
  readonly doNotDisturb: boolean | null;
  readonly error: SwitchboardErrorCode | null;
  block(userId: string): Promise<void>;
  unblock(userId: string): Promise<void>;
  setRingFrom(ringFrom: Settings["ringFrom"]): Promise<void>;
  setRelayOnly(relayOnly: boolean): Promise<void>;
  setDoNotDisturb(isOn: boolean): Promise<void>;
}

type State = Pick<Privacy, "blocked" | "ringFrom" | "relayOnly" | "doNotDisturb" | "error">;

const UNREAD: State = { blocked: null, ringFrom: null, relayOnly: null, doNotDisturb: null, error: null };

export function usePrivacy(switchboard: Switchboard, deviceId: string): Privacy {
  const { api } = switchboard;
  const [state, setState] = useState<State>(UNREAD);

  /** What is shown is what the server says, also after a change that failed. */
  const refresh = useCallback(async () => {
    const [{ blocks }, settings, { devices }] = await Promise.all([api.blocks(), api.settings(), api.devices()]);
    const own = devices.find((device) => device.deviceId === deviceId);
    const blocked = blocks.map(({ userId }) => userId);
    setState({ blocked, ...settings, doNotDisturb: own?.doNotDisturb ?? false, error: null });
  }, [api, deviceId]);

  const guarded = useCallback(
    async (change: Promise<unknown>) => {
      try {
        await change;
        await refresh();
      } catch (error) {
        setState((before) => ({ ...before, error: errorCode(error) }));
      }
    },
    [refresh],
  );
  useEffect(() => void guarded(Promise.resolve()), [guarded]);

  return {
    ...state,
    block: (userId) => guarded(api.block(userId)),
    unblock: (userId) => guarded(api.unblock(userId)),
    setRingFrom: (ringFrom) => guarded(api.setSettings({ ringFrom })),
    setRelayOnly: (relayOnly) => guarded(api.setSettings({ relayOnly })),
    setDoNotDisturb: (isOn) => guarded(api.setDoNotDisturb(deviceId, isOn)),
  };
}
