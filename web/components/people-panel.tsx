import { useEffect, useRef, useState } from "preact/hooks";
import { type Api, errorCode, type Person } from "../../client/index.ts";
import { GroupDialog } from "../group/group-dialog.tsx";
import type { Contact, Contacts } from "../hooks/use-contacts.ts";
import { useNow } from "../hooks/use-now.ts";
import type { Privacy } from "../hooks/use-privacy.ts";
import { errorText } from "../text.ts";
import { Icon } from "./icon.tsx";
import { PersonRow } from "./person-row.tsx";
import type { MenuItem } from "./row-menu.tsx";

interface PeoplePanelProps {
  readonly people: Contacts;
  /** Else nobody knows who is there. */
  readonly isConnected: boolean;
  readonly privacy: Privacy;
  readonly api: Api;
  readonly onCall: (person: Person, video: boolean) => void;
  readonly onCallGroup: (people: readonly Person[], video: boolean) => void;
  readonly onNotice: (text: string) => void;
}

export function PeoplePanel(props: PeoplePanelProps) {
  const { people, isConnected, privacy, onCall, onCallGroup } = props;
  const { contacts, error } = people;
  const title = useRef<HTMLHeadingElement>(null);
  const [isChoosing, setChoosing] = useState(false);
  const callable = (contacts ?? []).filter(({ userId }) => !privacy.blocked?.includes(userId));
  // The form that was focused is gone: reading and tabbing go on from here.
  useEffect(() => title.current?.focus(), []);
  const now = useNow(30_000);
  const online = (contacts ?? []).filter(({ status }) => status === "online").length;
  return (
    <section class="panel panel-people" aria-labelledby="people-title" id="people">
      <div class="panel-head">
        <h1 id="people-title" ref={title} tabIndex={-1}>
          People
        </h1>
        {isConnected && online > 0 && <p class="panel-note">{online} online</p>}
        {callable.length > 1 && (
          <button type="button" class="quiet" onClick={() => setChoosing(true)}>
            <Icon name="people" />
            Group call
          </button>
        )}
      </div>
      {isChoosing && <GroupDialog contacts={callable} onCall={onCallGroup} onClose={() => setChoosing(false)} />}
      {contacts === null && error !== null && <p class="empty">{errorText(error)}</p>}
      {contacts?.length === 0 && <NobodyYet />}
      <ul class="list">
        {contacts?.map((contact) => (
          <PersonRow
            key={contact.userId}
            contact={contact}
            isBlocked={privacy.blocked?.includes(contact.userId) ?? false}
            isConnected={isConnected}
            menu={menuFor(contact, props)}
            now={now}
            onCall={onCall}
          />
        ))}
      </ul>
    </section>
  );
}

/** Where only some may ring, they are chosen here. */
function menuFor({ userId, name }: Contact, { privacy, api, onNotice }: PeoplePanelProps): MenuItem[] {
  const allow = async (change: Promise<void>, done: string) => {
    onNotice(
      await change.then(
        () => done,
        (error: unknown) => errorText(errorCode(error)),
      ),
    );
  };
  const contact: MenuItem[] = [
    { label: "Allow to ring", onSelect: () => void allow(api.addContact(userId), `${name} may ring you`) },
    {
      label: "Do not allow to ring",
      onSelect: () => void allow(api.removeContact(userId), `${name} does not ring you any more`),
    },
  ];
  const block: MenuItem = privacy.blocked?.includes(userId)
    ? { label: "Unblock", onSelect: () => void privacy.unblock(userId) }
    : { label: "Block", isDanger: true, onSelect: () => void privacy.block(userId) };
  return privacy.ringFrom === "contacts" ? [...contact, block] : [block];
}

function NobodyYet() {
  return (
    <div class="empty">
      <p class="empty-title">Nobody else is here yet</p>
      <p>Open this page in another window and choose another name. It shows up here within seconds.</p>
      <a class="primary" href="/" target="_blank" rel="noopener">
        Open another window
      </a>
    </div>
  );
}
