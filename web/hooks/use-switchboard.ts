import { useEffect, useMemo } from "preact/hooks";
import { Switchboard } from "../../client/index.ts";
import { browserName } from "../device-name.ts";
import { type Session, tokenSource } from "../session.ts";

/** This window's client: connected while the window is there. */
export function useSwitchboard(session: Session): Switchboard {
  const switchboard = useMemo(() => create(session), [session]);
  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    const wake = () => switchboard.wake();
    switchboard.connect();
    document.addEventListener("visibilitychange", wake, { signal });
    // A closed window hangs up; one that comes back from the browser's cache is a new connection.
    addEventListener("pagehide", () => switchboard.close(), { signal });
    addEventListener("pageshow", () => switchboard.connect(), { signal });
    return () => {
      controller.abort();
      switchboard.close();
    };
  }, [switchboard]);
  return switchboard;
}

function create(session: Session): Switchboard {
  return new Switchboard({
    url: location.origin,
    token: tokenSource(session),
    deviceId: session.deviceId,
    deviceType: "Web",
    deviceName: browserName(navigator.userAgent),
  });
}
