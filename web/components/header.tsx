import type { Session } from "../session.ts";
import { Avatar } from "./avatar.tsx";
import { Brand } from "./brand.tsx";
import { Icon } from "./icon.tsx";

interface HeaderProps {
  readonly session: Session;
  readonly onSettings: () => void;
  readonly onSignOut: () => void;
}

export function Header({ session: { userId, name }, onSettings, onSignOut }: HeaderProps) {
  return (
    <header class="header">
      <Brand />
      <div class="me">
        <Avatar userId={userId} name={name} size="small" />
        <span class="me-name">{name}</span>
        <button type="button" class="quiet" onClick={onSettings} aria-label="Settings">
          <Icon name="settings" />
          <span class="wide-only">Settings</span>
        </button>
        <button type="button" class="quiet" onClick={onSignOut} aria-label="Switch user in this window">
          <Icon name="swap" />
          <span class="wide-only">Switch user</span>
        </button>
      </div>
    </header>
  );
}
