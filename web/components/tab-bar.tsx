import { Icon, type IconName } from "./icon.tsx";

export type Tab = "people" | "history";

interface TabBarProps {
  readonly tab: Tab;
  readonly missed: number;
  readonly onChange: (tab: Tab) => void;
}

/** Only on narrow screens, where one panel is shown at a time. */
export function TabBar({ tab, missed, onChange }: TabBarProps) {
  const item = (name: Tab, label: string, icon: IconName, count = 0) => (
    <button type="button" class="tab" aria-current={tab === name ? "page" : undefined} onClick={() => onChange(name)}>
      <span class="tab-icon">
        <Icon name={icon} />
        {count > 0 && (
          <span class="count" aria-hidden="true">
            {count > 99 ? "99+" : count}
          </span>
        )}
      </span>
      <span>
        {label}
        {count > 0 && <span class="visually-hidden">{count} missed</span>}
      </span>
    </button>
  );
  return (
    <nav class="tab-bar" aria-label="Sections">
      {item("people", "People", "people")}
      {item("history", "Recents", "recent", missed)}
    </nav>
  );
}
