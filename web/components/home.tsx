import { useState } from "preact/hooks";
import { useCalls } from "../hooks/use-calls.ts";
import { useContacts } from "../hooks/use-contacts.ts";
import { useHistory } from "../hooks/use-history.ts";
import { useSwitchboard } from "../hooks/use-switchboard.ts";
import type { Session } from "../session.ts";
import { CallScreen } from "./call-screen.tsx";
import { ConnectionBanner } from "./connection-banner.tsx";
import { Header } from "./header.tsx";
import { HistoryPanel } from "./history-panel.tsx";
import { PeoplePanel } from "./people-panel.tsx";
import { RingScreen } from "./ring-screen.tsx";
import { type Tab, TabBar } from "./tab-bar.tsx";
import { Toast } from "./toast.tsx";

interface HomeProps {
  readonly session: Session;
  readonly onSignOut: () => void;
}

export function Home({ session, onSignOut }: HomeProps) {
  const switchboard = useSwitchboard(session);
  const calls = useCalls(switchboard);
  const people = useContacts(switchboard);
  const history = useHistory(switchboard, session.userId, calls.ended);
  const [tab, setTab] = useState<Tab>("people");
  const ringing = calls.ringing[0];
  const show = (next: Tab) => {
    setTab(next);
    if (next === "history") history.markSeen();
  };

  return (
    <div class="home" data-tab={tab}>
      <Header session={session} onSignOut={onSignOut} />
      <ConnectionBanner switchboard={switchboard} />
      <main class="panels">
        <PeoplePanel people={people} onCall={calls.start} />
        <HistoryPanel history={history} userId={session.userId} onCall={calls.start} />
      </main>
      <TabBar tab={tab} missed={history.missed} onChange={show} />
      <Toast notice={calls.notice} onDismiss={calls.dismissNotice} />
      {calls.active && <CallScreen key={calls.active.key} call={calls.active} />}
      {ringing && (
        <RingScreen
          key={ringing.key}
          call={ringing}
          active={calls.active}
          trouble={calls.trouble?.call === ringing ? calls.trouble.text : null}
          onAccept={calls.accept}
        />
      )}
    </div>
  );
}
