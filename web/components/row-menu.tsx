import { useEffect, useRef, useState } from "preact/hooks";
import { RoundButton } from "./button.tsx";

export interface MenuItem {
  readonly label: string;
  readonly isDanger?: boolean;
  readonly onSelect: () => void;
}

interface RowMenuProps {
  /** Its accessible name. */
  readonly label: string;
  readonly items: readonly MenuItem[];
}

/** What can be done with a row besides calling: a button that unfolds more buttons. */
export function RowMenu({ label, items }: RowMenuProps) {
  const [isOpen, setOpen] = useState(false);
  const menu = useRef<HTMLDivElement>(null);
  const close = () => {
    setOpen(false);
    menu.current?.querySelector("button")?.focus();
  };
  useDismissal(menu, isOpen, { onOutside: () => setOpen(false), onEscape: close });
  return (
    <div ref={menu} class="menu">
      <RoundButton icon="more" label={label} isExpanded={isOpen} onClick={() => setOpen(!isOpen)} />
      {isOpen && (
        <ul class="menu-list">
          {items.map((item) => (
            <li key={item.label}>
              <button
                type="button"
                class={item.isDanger ? "menu-item is-danger" : "menu-item"}
                onClick={() => {
                  close();
                  item.onSelect();
                }}
              >
                {item.label}
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

interface Dismissal {
  readonly onOutside: () => void;
  readonly onEscape: () => void;
}

/** Escape, or somewhere else on the page is pressed or focused. */
function useDismissal(menu: { readonly current: HTMLElement | null }, isOpen: boolean, on: Dismissal): void {
  useEffect(() => {
    if (!isOpen) return;
    const controller = new AbortController();
    const { signal } = controller;
    const look = ({ target }: Event) => {
      if (target instanceof Node && !menu.current?.contains(target)) on.onOutside();
    };
    addEventListener("pointerdown", look, { signal });
    addEventListener("focusin", look, { signal });
    addEventListener("keydown", ({ key }) => key === "Escape" && on.onEscape(), { signal });
    return () => controller.abort();
  }, [isOpen]);
}
