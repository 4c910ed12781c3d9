import { useCallback, useEffect, useState } from "preact/hooks";
import { type ContactsResponse, errorCode, type Switchboard, type SwitchboardErrorCode } from "../../client/index.ts";
import { useRefresh } from "./use-refresh.ts";

export type Contact = ContactsResponse["contacts"][number];

export interface Contacts {
  /** Null until they have been read once. */
  readonly contacts: readonly Contact[] | null;
  readonly error: SwitchboardErrorCode | null;
}

/** New people show up this fast; those who are known change at once. */
const REFRESH_MS = 5_000;

export function useContacts(switchboard: Switchboard): Contacts {
  const [state, setState] = useState<Contacts>({ contacts: null, error: null });

  const refresh = useCallback(async () => {
    try {
      const { contacts } = await switchboard.api.contacts();
      setState({ contacts: sorted(contacts), error: null });
    } catch (error) {
      setState((before) => ({ ...before, error: errorCode(error) }));
    }
  }, [switchboard]);
  useRefresh(refresh, REFRESH_MS);
  // Whoever calls is there, and may be new.
  useEffect(() => switchboard.incoming.subscribe(() => void refresh()), [switchboard, refresh]);

  useEffect(
    () =>
      switchboard.presence.subscribe((presence) => {
        const changed = (contact: Contact) =>
          contact.userId === presence.userId ? { ...contact, ...presence } : contact;
        setState((before) => ({ ...before, contacts: before.contacts && sorted(before.contacts.map(changed)) }));
      }),
    [switchboard],
  );

  const watched = (state.contacts ?? [])
    .map(({ userId }) => userId)
    .sort()
    .join();
  useEffect(() => {
    if (watched !== "") switchboard.watchPresence(watched.split(","));
  }, [switchboard, watched]);

  return state;
}

/** Whoever can be reached first, then by name. */
function sorted(contacts: readonly Contact[]): Contact[] {
  return contacts.toSorted((a, b) => b.status.localeCompare(a.status) || a.name.localeCompare(b.name));
}
