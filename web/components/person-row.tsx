import type { Person } from "../../client/index.ts";
import type { Contact } from "../hooks/use-contacts.ts";
import { lastSeenText } from "../text.ts";
import { Avatar } from "./avatar.tsx";
import { RoundButton } from "./button.tsx";
import { type MenuItem, RowMenu } from "./row-menu.tsx";

interface PersonRowProps {
  readonly contact: Contact;
  readonly isBlocked: boolean;
  readonly menu: readonly MenuItem[];
  /** Unix ms. */
  readonly now: number;
  readonly onCall: (person: Person, video: boolean) => void;
}

export function PersonRow({ contact, isBlocked, menu, now, onCall }: PersonRowProps) {
  const { userId, name, status, lastSeen } = contact;
  const isOnline = status === "online" && !isBlocked;
  const presence = isOnline ? "Online" : lastSeenText(lastSeen, now);
  return (
    <li class="row">
      <Avatar userId={userId} name={name} isOnline={isOnline} />
      <div class="row-text">
        <span class="row-title">{name}</span>
        <span class={`row-note ${isOnline ? "is-online" : ""}`}>{isBlocked ? "Blocked" : presence}</span>
      </div>
      <div class="row-actions">
        <RoundButton icon="phone" label={`Voice call with ${name}`} onClick={() => onCall({ userId, name }, false)} />
        <RoundButton icon="video" label={`Video call with ${name}`} onClick={() => onCall({ userId, name }, true)} />
        <RowMenu label={`More for ${name}`} items={menu} />
      </div>
    </li>
  );
}
