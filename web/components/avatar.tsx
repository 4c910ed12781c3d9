import { initials } from "../text.ts";

interface AvatarProps {
  readonly userId: string;
  readonly name: string;
  readonly size?: "small" | "medium" | "large";
  readonly isOnline?: boolean;
}

const HUES = 8;

/** Decoration: the name stands beside it. The colour is the person's, on every device. */
export function Avatar({ userId, name, size = "medium", isOnline = false }: AvatarProps) {
  const hue = Number.parseInt(userId.slice(-4), 16) % HUES;
  return (
    <span class={`avatar avatar-${size} hue-${hue}`} aria-hidden="true">
      {initials(name)}
      {isOnline && <span class="avatar-online" />}
    </span>
  );
}
