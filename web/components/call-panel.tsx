import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { RoundButton } from "./button.tsx";

interface CallPanelProps {
  /** Its title. */
  readonly label: string;
  readonly closeLabel: string;
  /** It belongs to a button at the top of the screen. */
  readonly isAbove?: boolean;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

/** Opens during a call, from a button that gets the focus back. */
export function CallPanel({ label, closeLabel, isAbove, onClose, children }: CallPanelProps) {
  const panel = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    const opener = document.activeElement;
    panel.current?.focus();
    return () => opener instanceof HTMLElement && opener.focus();
  }, []);
  return (
    <section
      ref={panel}
      class={isAbove ? "settings is-above" : "settings"}
      aria-label={label}
      tabIndex={-1}
      onKeyDown={(event) => event.key === "Escape" && onClose()}
    >
      <div class="settings-head">
        <h3>{label}</h3>
        <RoundButton icon="close" label={closeLabel} tone="glass" onClick={onClose} />
      </div>
      {children}
    </section>
  );
}
