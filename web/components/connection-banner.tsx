import { useEffect, useState } from "preact/hooks";
import type { CloseReason, SocketStatus, Switchboard } from "../../client/index.ts";

/** A connection that comes back within this time is nobody's concern. */
const PATIENCE_MS = 1_200;

interface Shown {
  readonly status: SocketStatus;
  readonly reason: CloseReason | undefined;
}

export function ConnectionBanner({ switchboard }: { readonly switchboard: Switchboard }) {
  const shown = useConnection(switchboard);
  const text = bannerText(shown);
  return (
    <div class="banner" role="status" data-shown={text !== null}>
      {text !== null && (
        <>
          {shown.status !== "closed" && <span class="spinner" aria-hidden="true" />}
          <span>{text}</span>
          {shown.status === "closed" && (
            <button type="button" class="banner-action" onClick={() => switchboard.connect()}>
              Use it here
            </button>
          )}
        </>
      )}
    </div>
  );
}

/** Good news at once, bad news after a moment. */
function useConnection(switchboard: Switchboard): Shown {
  const [shown, setShown] = useState<Shown>({ status: "open", reason: undefined });
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = switchboard.connection.subscribe(({ status, reason }) => {
      clearTimeout(timer);
      const isNews = status === "open" || status === "closed";
      if (isNews) setShown({ status, reason });
      else timer = setTimeout(() => setShown({ status, reason }), PATIENCE_MS);
    });
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [switchboard]);
  return shown;
}

function bannerText({ status, reason }: Shown): string | null {
  switch (status) {
    case "open":
      return null;
    case "connecting":
    case "waiting":
      return "Reconnecting. Calls will reach you as soon as we are back.";
    case "closed":
      if (reason === "replaced") return "Another window took over this device.";
      return reason === "removed" ? "This device was removed from your account." : null;
  }
}
