import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Call } from "../../client/index.ts";
import { RoundButton } from "../components/button.tsx";
import type { Contact } from "../hooks/use-contacts.ts";
import { PeoplePicker } from "./people-picker.tsx";

interface InvitePanelProps {
  readonly call: Call;
  readonly contacts: readonly Contact[];
  readonly onClose: () => void;
  readonly onInvite: (inviting: Promise<void>) => void;
}

/** Calls more people into the call. */
export function InvitePanel({ call, contacts, onClose, onInvite }: InvitePanelProps) {
  const panel = useRef<HTMLElement>(null);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  useLayoutEffect(() => {
    const opener = document.activeElement;
    panel.current?.focus();
    return () => opener instanceof HTMLElement && opener.focus();
  }, []);
  const absent = contacts.filter(({ userId }) => !isHere(call, userId));
  const invite = () => {
    onInvite(call.invite(absent.filter(({ userId }) => chosen.has(userId))));
    onClose();
  };
  return (
    <section
      ref={panel}
      class="settings invite"
      aria-label="Add people"
      tabIndex={-1}
      onKeyDown={(event) => event.key === "Escape" && onClose()}
    >
      <div class="settings-head">
        <h3>Add people</h3>
        <RoundButton icon="close" label="Close adding people" tone="glass" onClick={onClose} />
      </div>
      <PeoplePicker contacts={absent} chosen={chosen} label="Whom to add" onChange={setChosen} />
      <button type="button" class="invite-button" disabled={chosen.size === 0} onClick={invite}>
        {chosen.size > 1 ? `Call these ${chosen.size}` : "Call"}
      </button>
    </section>
  );
}

function isHere({ room, person }: Call, userId: string): boolean {
  if (!room) return person.userId === userId;
  return room.participants.some(
    ({ userId: other, state }) => other === userId && (state === "joined" || state === "invited"),
  );
}
