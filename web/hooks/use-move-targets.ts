import { useCallback, useState } from "preact/hooks";
import { type Api, errorCode, type SwitchboardErrorCode } from "../../client/index.ts";
import { moveTargets, type Target } from "../device-name.ts";
import { useRefresh } from "./use-refresh.ts";

interface MoveTargets {
  /** Null until they have been read once. */
  readonly targets: readonly Target[] | null;
  readonly error: SwitchboardErrorCode | null;
}

/** Who opens the page on another device in order to move the call there, finds it here this fast. */
const REFRESH_MS = 3_000;

/** The user's other devices, as long as they are looked at. */
export function useMoveTargets(api: Api, ownDeviceId: string): MoveTargets {
  const [state, setState] = useState<MoveTargets>({ targets: null, error: null });
  const refresh = useCallback(async () => {
    try {
      const { devices } = await api.devices();
      setState({ targets: moveTargets(devices, ownDeviceId), error: null });
    } catch (error) {
      setState((before) => ({ ...before, error: errorCode(error) }));
    }
  }, [api, ownDeviceId]);
  useRefresh(refresh, REFRESH_MS);
  return state;
}
