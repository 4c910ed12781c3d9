import type { ComponentChildren } from "preact";
import { Icon, type IconName } from "./icon.tsx";

interface RoundButtonProps {
  readonly icon: IconName;
  /** Its accessible name, and its tooltip. */
  readonly label: string;
  readonly tone?: "plain" | "accept" | "danger" | "glass";
  readonly size?: "medium" | "large";
  readonly isActive?: boolean;
  readonly isExpanded?: boolean;
  readonly hasCaption?: boolean;
  readonly autoFocus?: boolean;
  readonly disabled?: boolean;
  readonly onClick: () => void;
}

/** A round button with an icon; the caption, where there is one, is its name in short. */
export function RoundButton(props: RoundButtonProps) {
  const { icon, label, tone = "plain", size = "medium", isActive, isExpanded, autoFocus, disabled, onClick } = props;
  return (
    <button
      type="button"
      class={`round round-${tone} round-${size}`}
      aria-label={label}
      data-active={isActive}
      aria-expanded={isExpanded}
      title={label}
      autofocus={autoFocus}
      disabled={disabled}
      onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  );
}

/** A round button above its caption. */
export function CaptionedButton({ caption, ...button }: RoundButtonProps & { readonly caption: ComponentChildren }) {
  return (
    <span class="captioned">
      <RoundButton {...button} />
      <span class="caption" aria-hidden="true">
        {caption}
      </span>
    </span>
  );
}
