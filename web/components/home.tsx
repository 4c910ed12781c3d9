import { useState } from "preact/hooks";
import type { Api } from "../../client/index.ts";
import { GroupScreen } from "../group/group-screen.tsx";
import { type Calls, useCalls } from "../hooks/use-calls.ts";
import { useConnection } from "../hooks/use-connection.ts";
import { type Contact, useContacts } from "../hooks/use-contacts.ts";
import { useElsewhere } from "../hooks/use-elsewhere.ts";
import { useHistory } from "../hooks/use-history.ts";
import { usePrivacy } from "../hooks/use-privacy.ts";
import { usePush } from "../hooks/use-push.ts";
import { useSwitchboard } from "../hooks/use-switchboard.ts";
import { useWoken } from "../hooks/use-woken.ts";
import type { Session } from "../session.ts";
import { CallScreen } from "./call-screen.tsx";
import { ConnectionBanner } from "./connection-banner.tsx";
import { ElsewhereBar } from "./elsewhere-bar.tsx";
import { Header } from "./header.tsx";
import { HistoryPanel } from "./history-panel.tsx";
import { PeoplePanel } from "./people-panel.tsx";
import { RingScreen } from "./ring-screen.tsx";
import { SettingsDialog } from "./settings-dialog.tsx";
import { type Tab, TabBar } from "./tab-bar.tsx";
import { Toast } from "./toast.tsx";

interface HomeProps {
  readonly session: Session;
  readonly onSignOut: () => void;
}

export function Home({ session, onSignOut }: HomeProps) {
  const switchboard = useSwitchboard(session);
  const connection = useConnection(switchboard);
  const calls = useCalls(switchboard);
  const people = useContacts(switchboard);
  const history = useHistory(switchboard, session.userId, calls.ended);
  useWoken(session.userId, calls);
  const elsewhere = useElsewhere(switchboard);
  const privacy = usePrivacy(switchboard, session.deviceId);
  const [tab, setTab] = useState<Tab>("people");
  const [hasSettings, setSettings] = useState(false);
  const push = usePush(switchboard, session.deviceId, hasSettings);
  const leave = () => {
    // Else it would go on being rung by push. Who is offline leaves all the same.
    switchboard.api.removeDevice(session.deviceId).catch(() => {});
    onSignOut();
  };
  const show = (next: Tab) => {
    setTab(next);
    if (next === "history") history.markSeen();
  };

  return (
    <div class="home" data-tab={tab}>
      <Header session={session} onSettings={() => setSettings(true)} onSignOut={leave} />
      <ConnectionBanner connection={connection} onConnect={() => switchboard.connect()} />
      <ElsewhereBar calls={elsewhere} onMove={calls.move} />
      <main class="panels">
        <PeoplePanel
          people={people}
          isConnected={connection === "open"}
          privacy={privacy}
          api={switchboard.api}
          onCall={calls.start}
          onCallGroup={calls.startGroup}
          onNotice={calls.tell}
        />
        <HistoryPanel
          history={history}
          userId={session.userId}
          onCall={calls.start}
          onCallGroup={calls.startGroup}
          onJoin={calls.join}
        />
      </main>
      <TabBar tab={tab} missed={history.missed} onChange={show} />
      <Toast notice={calls.notice} onDismiss={calls.dismissNotice} />
      {hasSettings && (
        <SettingsDialog
          privacy={privacy}
          push={push}
          contacts={people.contacts ?? []}
          onClose={() => setSettings(false)}
        />
      )}
      <Screens calls={calls} contacts={people.contacts ?? []} session={session} api={switchboard.api} />
    </div>
  );
}

interface ScreensProps {
  readonly calls: Calls;
  readonly contacts: readonly Contact[];
  readonly session: Session;
  readonly api: Api;
}

/** One at a time: who calls during a call waits on that one's screen. */
function Screens({ calls, contacts, session, api }: ScreensProps) {
  const { active, ringing, trouble, accept } = calls;
  const call = ringing[0];
  if (active?.room) {
    const about = { call: active, room: active.room, calls, contacts };
    return <GroupScreen key={active.key} {...about} self={session} />;
  }
  if (active) return <CallScreen key={active.key} {...{ call: active, calls, contacts, session, api }} />;
  if (!call) return null;
  return (
    <RingScreen
      key={call.key}
      call={call}
      trouble={trouble?.call === call ? trouble.text : null}
      onAccept={(accepted, video) => accept(accepted, video)}
    />
  );
}
