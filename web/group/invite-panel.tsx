import { useState } from "preact/hooks";
import type { Call } from "../../client/index.ts";
import { CallPanel } from "../components/call-panel.tsx";
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
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const absent = contacts.filter(({ userId }) => !isHere(call, userId));
  const invite = () => {
    onInvite(call.invite(absent.filter(({ userId }) => chosen.has(userId))));
    onClose();
  };
  return (
    <CallPanel label="Add people" closeLabel="Close adding people" isAbove onClose={onClose}>
      <PeoplePicker contacts={absent} chosen={chosen} label="Whom to add" onChange={setChosen} />
      <button type="button" class="invite-button" disabled={chosen.size === 0} onClick={invite}>
        {chosen.size > 1 ? `Call these ${chosen.size}` : "Call"}
      </button>
    </CallPanel>
  );
}

function isHere({ room, person }: Call, userId: string): boolean {
  if (!room) return person.userId === userId;
  return room.participants.some(
    ({ userId: other, state }) => other === userId && (state === "joined" || state === "invited"),
  );
}
