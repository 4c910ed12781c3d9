import { useState } from "preact/hooks";
import type { Person } from "../../client/index.ts";
import { RoundButton } from "../components/button.tsx";
import { Dialog } from "../components/dialog.tsx";
import type { Contact } from "../hooks/use-contacts.ts";
import { PeoplePicker } from "./people-picker.tsx";

interface GroupDialogProps {
  readonly contacts: readonly Contact[];
  readonly onCall: (people: readonly Person[], video: boolean) => void;
  readonly onClose: () => void;
}

/** Chooses whom to call together. */
export function GroupDialog({ contacts, onCall, onClose }: GroupDialogProps) {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const call = (video: boolean) => {
    onCall(
      contacts.filter(({ userId }) => chosen.has(userId)),
      video,
    );
    onClose();
  };
  return (
    <Dialog label="New group call" class="preferences group-dialog" onCancel={onClose}>
      <div class="preferences-head">
        <h2>New group call</h2>
        <RoundButton icon="close" label="Close" autoFocus onClick={onClose} />
      </div>
      <PeoplePicker contacts={contacts} chosen={chosen} label="Whom to call" onChange={setChosen} />
      <div class="group-actions">
        <button type="button" class="primary" disabled={chosen.size === 0} onClick={() => call(true)}>
          Video call{chosen.size > 0 && ` with ${chosen.size}`}
        </button>
        <button type="button" class="quiet" disabled={chosen.size === 0} onClick={() => call(false)}>
          Voice only
        </button>
      </div>
    </Dialog>
  );
}
