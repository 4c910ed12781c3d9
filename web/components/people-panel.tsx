import { useEffect, useRef } from "preact/hooks";
import type { Person } from "../../client/index.ts";
import type { Contacts } from "../hooks/use-contacts.ts";
import { useNow } from "../hooks/use-now.ts";
import { errorText } from "../text.ts";
import { PersonRow } from "./person-row.tsx";

interface PeoplePanelProps {
  readonly people: Contacts;
  readonly onCall: (person: Person, video: boolean) => void;
}

export function PeoplePanel({ people: { contacts, error }, onCall }: PeoplePanelProps) {
  const title = useRef<HTMLHeadingElement>(null);
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
        {online > 0 && <p class="panel-note">{online} online</p>}
      </div>
      {contacts === null && error !== null && <p class="empty">{errorText(error)}</p>}
      {contacts?.length === 0 && <NobodyYet />}
      <ul class="list">
        {contacts?.map((contact) => (
          <PersonRow key={contact.userId} contact={contact} now={now} onCall={onCall} />
        ))}
      </ul>
    </section>
  );
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
