import type { Contact } from "../hooks/use-contacts.ts";
import type { Privacy } from "../hooks/use-privacy.ts";
import type { Push } from "../hooks/use-push.ts";
import { errorText } from "../text.ts";
import { Avatar } from "./avatar.tsx";
import { RoundButton } from "./button.tsx";
import { Dialog } from "./dialog.tsx";

interface SettingsDialogProps {
  readonly privacy: Privacy;
  readonly push: Push;
  readonly contacts: readonly Contact[];
  readonly onClose: () => void;
}

export function SettingsDialog({ privacy, push, contacts, onClose }: SettingsDialogProps) {
  return (
    <Dialog label="Settings" class="preferences" onCancel={onClose}>
      <div class="preferences-head">
        <h2>Settings</h2>
        <RoundButton icon="close" label="Close settings" autoFocus onClick={onClose} />
      </div>
      <p class="field-error" role="alert">
        {privacy.error && errorText(privacy.error)}
      </p>
      <Switch
        title="Do not disturb"
        note="This window does not ring. Your other devices do."
        isOn={privacy.doNotDisturb}
        set={privacy.setDoNotDisturb}
      />
      <RingFrom privacy={privacy} />
      <Switch
        title="Hide my address"
        note="Your calls go through a relay. People you talk with do not see where you are connected."
        isOn={privacy.relayOnly}
        set={privacy.setRelayOnly}
      />
      <Notifications push={push} />
      <Blocked privacy={privacy} contacts={contacts} />
    </Dialog>
  );
}

interface SwitchProps {
  readonly title: string;
  readonly note: string;
  /** Null until it has been read once. */
  readonly isOn: boolean | null;
  readonly set: (isOn: boolean) => Promise<void>;
}

function Switch({ title, note, isOn, set }: SwitchProps) {
  return (
    <label class="preference">
      <span>
        <span class="preference-title">{title}</span>
        <span class="preference-note">{note}</span>
      </span>
      <input
        type="checkbox"
        role="switch"
        aria-label={title}
        aria-checked={isOn ?? false}
        checked={isOn ?? false}
        disabled={isOn === null}
        onChange={(event) => void set(event.currentTarget.checked)}
      />
    </label>
  );
}

function RingFrom({ privacy: { ringFrom, setRingFrom } }: Pick<SettingsDialogProps, "privacy">) {
  const choice = (value: "everybody" | "contacts", title: string) => (
    <label class="choice">
      <input
        type="radio"
        name="ring-from"
        checked={ringFrom === value}
        disabled={ringFrom === null}
        onChange={() => void setRingFrom(value)}
      />
      {title}
    </label>
  );
  return (
    <fieldset class="preference-group">
      <legend class="preference-title">Who may ring you</legend>
      {choice("everybody", "Everybody")}
      {choice("contacts", "Only people you allow, in their menu")}
    </fieldset>
  );
}

function Notifications({ push: { state, enable } }: Pick<SettingsDialogProps, "push">) {
  if (state === "unavailable") return null;
  return (
    <div class="preference">
      <span>
        <span class="preference-title">Ring while this page is closed</span>
        <span class="preference-note" role="status">
          {NOTES[state]}
        </span>
      </span>
      {state !== "on" && (
        <button type="button" class="primary" disabled={state === "asking" || state === "denied"} onClick={enable}>
          Allow
        </button>
      )}
    </div>
  );
}

const NOTES: Readonly<Record<Exclude<Push["state"], "unavailable">, string>> = {
  off: "Your browser will ask you for permission.",
  asking: "Asking your browser…",
  on: "On, with notifications of this browser.",
  denied: "Your browser does not allow notifications from this page. Change that in the address bar.",
  failed: "Your browser's push service could not be reached. Try again.",
};

function Blocked({ privacy: { blocked, unblock }, contacts }: Pick<SettingsDialogProps, "privacy" | "contacts">) {
  return (
    <section class="preference-group" aria-labelledby="blocked-title">
      <h3 id="blocked-title" class="preference-title">
        Blocked people
      </h3>
      {blocked?.length === 0 && <p class="preference-note">Nobody. You can block people in their menu.</p>}
      <ul>
        {blocked?.map((userId) => {
          const name = contacts.find((contact) => contact.userId === userId)?.name ?? "Somebody";
          return (
            <li key={userId} class="blocked">
              <Avatar userId={userId} name={name} size="small" />
              <span class="row-title">{name}</span>
              <button type="button" class="quiet" aria-label={`Unblock ${name}`} onClick={() => void unblock(userId)}>
                Unblock
              </button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
