import { useEffect, useState } from "preact/hooks";
import { type Api, type Call, errorCode, isAnswered } from "../../client/index.ts";
import { storedDevices } from "../devices.ts";
import { InvitePanel } from "../group/invite-panel.tsx";
import type { Calls } from "../hooks/use-calls.ts";
import type { Contact } from "../hooks/use-contacts.ts";
import { useSignal } from "../hooks/use-signal.ts";
import type { Session } from "../session.ts";
import { playRingback } from "../sound.ts";
import { errorText } from "../text.ts";
import { RoundButton } from "./button.tsx";
import { CallControls } from "./call-controls.tsx";
import { CallHint } from "./call-hint.tsx";
import { CallStatus } from "./call-status.tsx";
import { DeviceSettings } from "./device-settings.tsx";
import { Dialog } from "./dialog.tsx";
import { HeldBar } from "./held-bar.tsx";
import { LocalVideo } from "./local-video.tsx";
import { MovePanel } from "./move-panel.tsx";
import { RemoteVideo } from "./remote-video.tsx";
import { WaitingBanner } from "./waiting-banner.tsx";

interface OtherCallsProps {
  readonly call: Call;
  readonly calls: Calls;
}

interface CallScreenProps extends OtherCallsProps {
  readonly contacts: readonly Contact[];
  readonly session: Session;
  readonly api: Api;
}

type Panel = "none" | "devices" | "people" | "move";

/** From the first ring to the last word. */
export function CallScreen({ call, calls, contacts, session: { deviceId }, api }: CallScreenProps) {
  useSignal(call.changed);
  const [panel, setPanel] = useState<Panel>("none");
  const [speakerId, setSpeakerId] = useState(storedDevices().speakerId);
  const [trouble, setTrouble] = useState<string | null>(null);
  const { media, phase } = call;
  useRingback(phase.kind === "ringing");

  const guarded = (change: Promise<void>) => {
    change.then(
      () => setTrouble(null),
      (error: unknown) => setTrouble(errorText(errorCode(error))),
    );
  };
  const toggle = (wanted: Panel) => setPanel(panel === wanted ? "none" : wanted);
  const setCamera = (isOn: boolean) => guarded(media.setCamera(isOn, storedDevices().cameraId));
  const name = call.person.name || "Somebody";

  return (
    <Dialog label={`Call with ${name}`} class={isAnswered(phase) ? "call is-answered" : "call"}>
      <RemoteVideo call={call} speakerId={speakerId} />
      {media.camera && !call.isOnHold && <LocalVideo track={media.camera} />}
      <div class="call-top">
        <CallStatus call={call} />
        <OtherCalls call={call} calls={calls} />
        {isAnswered(phase) && <TopButtons panel={panel} onToggle={toggle} />}
      </div>
      <div class="call-bottom">
        <CallHint call={call} trouble={trouble} onCameraOff={() => setCamera(false)} />
        {panel === "devices" && (
          <DeviceSettings media={media} onClose={() => setPanel("none")} onSpeaker={setSpeakerId} onChange={guarded} />
        )}
        {panel === "people" && (
          <InvitePanel call={call} contacts={contacts} onClose={() => setPanel("none")} onInvite={guarded} />
        )}
        {panel === "move" && (
          <MovePanel call={call} api={api} deviceId={deviceId} onClose={() => setPanel("none")} onAsk={guarded} />
        )}
        <CallControls
          call={call}
          hasSettings={panel === "devices"}
          onSettings={() => toggle("devices")}
          onCamera={setCamera}
        />
      </div>
    </Dialog>
  );
}

interface TopButtonsProps {
  readonly panel: Panel;
  readonly onToggle: (panel: Panel) => void;
}

/** What an answered call may become: one on another device, or one with more people. */
function TopButtons({ panel, onToggle }: TopButtonsProps) {
  return (
    <>
      <span class="call-move">
        <RoundButton
          tone="glass"
          icon="devices"
          label="Move to another device"
          isExpanded={panel === "move"}
          onClick={() => onToggle("move")}
        />
      </span>
      <span class="call-add">
        <RoundButton
          tone="glass"
          icon="addPerson"
          label="Add people"
          isExpanded={panel === "people"}
          onClick={() => onToggle("people")}
        />
      </span>
    </>
  );
}

/** Those on hold, and one that waits. */
export function OtherCalls({ call, calls: { held, ringing, trouble, accept, switchTo } }: OtherCallsProps) {
  const waiting = ringing[0];
  const canHold = isAnswered(call.phase);
  return (
    <div class="other-calls">
      {held.map((other) => (
        <HeldBar key={other.key} call={other} canSwitch={canHold} onSwitch={() => switchTo(other)} />
      ))}
      {waiting && (
        <WaitingBanner
          key={waiting.key}
          call={waiting}
          canHold={canHold}
          trouble={trouble?.call === waiting ? trouble.text : null}
          onAccept={accept}
        />
      )}
    </div>
  );
}

function useRingback(rings: boolean): void {
  useEffect(() => (rings ? playRingback() : undefined), [rings]);
}
