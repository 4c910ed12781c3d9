import { useEffect, useState } from "preact/hooks";
import { type Call, errorCode, isAnswered, type Room } from "../../client/index.ts";
import { RoundButton } from "../components/button.tsx";
import { OtherCalls } from "../components/call-screen.tsx";
import { DeviceSettings } from "../components/device-settings.tsx";
import { Dialog } from "../components/dialog.tsx";
import { storedDevices } from "../devices.ts";
import type { Calls } from "../hooks/use-calls.ts";
import type { Contact } from "../hooks/use-contacts.ts";
import { useSignal } from "../hooks/use-signal.ts";
import type { Session } from "../session.ts";
import { playRingback } from "../sound.ts";
import { errorText } from "../text.ts";
import { GroupControls } from "./group-controls.tsx";
import { GroupHint } from "./group-hint.tsx";
import { GroupSound } from "./group-sound.tsx";
import { GroupStatus } from "./group-status.tsx";
import { InvitePanel } from "./invite-panel.tsx";
import { Stage } from "./stage.tsx";
import { groupTitle } from "./text.ts";
import { largeTile, tilesOf, type View } from "./tiles.ts";

interface GroupScreenProps {
  readonly call: Call;
  readonly room: Room;
  readonly calls: Calls;
  readonly contacts: readonly Contact[];
  readonly self: Pick<Session, "userId" | "name">;
}

type Panel = "none" | "devices" | "people";

/** A call with more than two people. */
export function GroupScreen({ call, room, calls, contacts, self }: GroupScreenProps) {
  useSignal(call.changed);
  const [panel, setPanel] = useState<Panel>("none");
  const [view, setView] = useState<View>("auto");
  const [speakerId, setSpeakerId] = useState(storedDevices().speakerId);
  const [trouble, setTrouble] = useState<string | null>(null);
  const { media, phase } = call;
  const isRinging = phase.kind === "ringing";
  useEffect(() => (isRinging ? playRingback() : undefined), [isRinging]);

  const guarded = (change: Promise<void>) => {
    change.then(
      () => setTrouble(null),
      (error: unknown) => setTrouble(errorText(errorCode(error))),
    );
  };
  const toggle = (wanted: Panel) => setPanel(panel === wanted ? "none" : wanted);
  const setCamera = (isOn: boolean) => guarded(media.setCamera(isOn, storedDevices().cameraId));
  const share = (isOn: boolean) => (isOn ? guarded(room.shareScreen()) : room.stopSharing());
  const isLarge = largeTile(tilesOf(room.participants), view) !== null;

  return (
    <Dialog label={`Group call with ${groupTitle(call)}`} class="call group is-answered">
      <div class="group-top">
        <GroupStatus call={call} room={room} />
        <RoundButton
          icon={isLarge ? "grid" : "speaker"}
          label={isLarge ? "Show everybody alike" : "Show the speaker large"}
          tone="glass"
          onClick={() => setView(isLarge ? "grid" : "speaker")}
        />
        <RoundButton
          icon="addPerson"
          label="Add people"
          tone="glass"
          isExpanded={panel === "people"}
          disabled={!isAnswered(phase)}
          onClick={() => toggle("people")}
        />
        <OtherCalls call={call} calls={calls} />
      </div>
      <Stage call={call} room={room} view={view} self={self} />
      <div class="group-bottom">
        <GroupHint call={call} room={room} trouble={trouble} onCameraOff={() => setCamera(false)} />
        {panel === "devices" && (
          <DeviceSettings media={media} onClose={() => setPanel("none")} onSpeaker={setSpeakerId} onChange={guarded} />
        )}
        {panel === "people" && (
          <InvitePanel call={call} contacts={contacts} onClose={() => setPanel("none")} onInvite={guarded} />
        )}
        <GroupControls
          call={call}
          room={room}
          hasSettings={panel === "devices"}
          onSettings={() => toggle("devices")}
          onCamera={setCamera}
          onShare={share}
        />
      </div>
      <GroupSound participants={room.participants} speakerId={speakerId} />
    </Dialog>
  );
}
