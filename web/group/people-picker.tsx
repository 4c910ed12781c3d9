import { Avatar } from "../components/avatar.tsx";
import type { Contact } from "../hooks/use-contacts.ts";

interface PeoplePickerProps {
  readonly contacts: readonly Contact[];
  readonly chosen: ReadonlySet<string>;
  /** Says what is chosen, as its form's legend. */
  readonly label: string;
  readonly onChange: (chosen: ReadonlySet<string>) => void;
}

/** Several people of the user's contacts. */
export function PeoplePicker({ contacts, chosen, label, onChange }: PeoplePickerProps) {
  const choose = (userId: string, isChosen: boolean) => {
    const next = new Set(chosen);
    if (isChosen) next.add(userId);
    else next.delete(userId);
    onChange(next);
  };
  if (contacts.length === 0) return <p class="picker-empty">There is nobody else to call.</p>;
  return (
    <fieldset class="picker">
      <legend class="visually-hidden">{label}</legend>
      {contacts.map(({ userId, name, status }) => (
        <label key={userId} class="picker-person">
          <Avatar userId={userId} name={name} size="small" isOnline={status === "online"} />
          <span class="picker-name">{name}</span>
          <input
            type="checkbox"
            checked={chosen.has(userId)}
            onChange={(event) => choose(userId, event.currentTarget.checked)}
          />
        </label>
      ))}
    </fieldset>
  );
}
