import { useEffect, useState } from "preact/hooks";
import type { CallElsewhere, Switchboard } from "../../client/index.ts";

/** The calls that the user's other devices are in. */
export function useElsewhere(switchboard: Switchboard): readonly CallElsewhere[] {
  const [calls, setCalls] = useState(switchboard.callsElsewhere);
  useEffect(() => switchboard.elsewhere.subscribe(setCalls), [switchboard]);
  return calls;
}
