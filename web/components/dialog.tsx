import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

interface DialogProps {
  readonly label: string;
  readonly class: string;
  /** Escape; without it, Escape does nothing. */
  readonly onCancel?: () => void;
  readonly children: ComponentChildren;
}

/** A modal dialog for as long as it is rendered: the rest of the page is inert, focus comes back after it. */
export function Dialog({ label, class: className, onCancel, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      class={className}
      aria-label={label}
      onKeyDown={(event) => {
        // Browsers close a dialog at the second Escape, whatever `cancel` said.
        if (event.key === "Escape") {
          event.preventDefault();
          onCancel?.();
        }
      }}
      onCancel={(event) => event.preventDefault()}
    >
      {children}
    </dialog>
  );
}
