import { useEffect } from "preact/hooks";
import type { Notice } from "../hooks/use-calls.ts";
import { Icon } from "./icon.tsx";

interface ToastProps {
  readonly notice: Notice | null;
  readonly onDismiss: () => void;
}

/** Long enough to be read twice. */
const SHOWN_MS = 8_000;

/** What just happened, in one line; also read out. */
export function Toast({ notice, onDismiss }: ToastProps) {
  useEffect(() => {
    if (!notice) return;
    const timer = setTimeout(onDismiss, SHOWN_MS);
    return () => clearTimeout(timer);
  }, [notice]);
  return (
    <div class="toast-area" role="status">
      {notice && (
        <div class="toast" key={notice.id}>
          <span>{notice.text}</span>
          <button type="button" class="toast-close" onClick={onDismiss} aria-label="Dismiss">
            <Icon name="close" />
          </button>
        </div>
      )}
    </div>
  );
}
