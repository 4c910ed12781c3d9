import type { Person } from "../../client/index.ts";
import type { Contact } from "../hooks/use-contacts.ts";
import { lastSeenText } from "../text.ts";
import { Avatar } from "./avatar.tsx";
import { RoundButton } from "./button.tsx";
import { type MenuItem, RowMenu } from "./row-menu.tsx";

interface PersonRowProps {
  readonly contact: Contact;
  readonly isBlocked: boolean;
  readonly isConnected: boolean;
  readonly menu: readonly MenuItem[];
  /** Unix ms. */
  readonly now: number;
  readonly onCall: (person: Person, video: boolean) => void;
}

export function PersonRow(props: PersonRowProps) {
  const { contact, isBlocked, isConnected, menu, onCall } = props;
  const { userId, name, status } = contact;
  const isOnline = isConnected && status === "online" && !isBlocked;
  return (
    <li class="row">
      <Avatar userId={userId} name={name} isOnline={isOnline} />
      <div class="row-text">
        <span class="row-title">{name}</span>
        <span class={`row-note ${isOnline ? "is-online" : ""}`}>{presenceText(props)}</span>
      </div>
      <div class="row-actions">
        <RoundButton icon="phone" label={`Voice call with ${name}`} onClick={() => onCall({ userId, name }, false)} />
        <RoundButton icon="video" label={`Video call with ${name}`} onClick={() => onCall({ userId, name }, true)} />
        <RowMenu label={`More for ${name}`} items={menu} />
      </div>
    </li>
  );
}

function presenceText({ contact: { status, lastSeen }, isBlocked, isConnected, now }: PersonRowProps): string {
  if (isBlocked) return "Blocked";
  if (!isConnected) return "Presence unknown";
  return status === "online" ? "Online" : lastSeenText(lastSeen, now);
}
