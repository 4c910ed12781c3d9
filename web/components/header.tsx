import type { Session } from "../session.ts";
import { Avatar } from "./avatar.tsx";
import { Brand } from "./brand.tsx";
import { Icon } from "./icon.tsx";

interface HeaderProps {
  readonly session: Session;
  readonly onSignOut: () => void;
}

export function Header({ session: { userId, name }, onSignOut }: HeaderProps) {
  return (
    <header class="header">
      <Brand />
      <div class="me">
        <Avatar userId={userId} name={name} size="small" />
        <span class="me-name">{name}</span>
        <button type="button" class="quiet" onClick={onSignOut} aria-label="Switch user in this window">
          <Icon name="swap" />
          <span class="wide-only">Switch user</span>
        </button>
      </div>
    </header>
  );
}
