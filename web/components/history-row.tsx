import type { HistoryEntry, Person } from "../../client/index.ts";
import { namesText, othersOf } from "../group/text.ts";
import { historyText, isMissed, moment } from "../text.ts";
import { RoundButton } from "./button.tsx";
import { Icon } from "./icon.tsx";
import { RowMenu } from "./row-menu.tsx";

interface HistoryRowProps {
  readonly call: HistoryEntry;
  readonly userId: string;
  /** Unix ms. */
  readonly now: number;
  readonly onCall: (person: Person, video: boolean) => void;
  readonly onCallGroup: (people: readonly Person[], video: boolean) => void;
  readonly onJoin: (callId: string, person: Person) => void;
  readonly onRemove: (callId: string) => void;
}

const KINDS: Readonly<Record<HistoryEntry["callType"], string>> = { video: "Video", audio: "Voice", group: "Group" };

export function HistoryRow({ call, userId, now, onCall, onCallGroup, onJoin, onRemove }: HistoryRowProps) {
  const others = othersOf(call, userId);
  const [other] = others;
  const name = namesText(others.map((participant) => participant.name || "Somebody"));
  const isGroup = call.callType === "group";
  const isGoingOn = isGroup && call.outcome === null;
  const isVideo = call.callType !== "audio";
  const missed = isMissed(call);
  const icon = missed ? "missed" : call.direction;
  return (
    <li class={`row ${missed ? "is-missed" : ""}`}>
      <span class="row-icon">
        <Icon name={icon} />
      </span>
      <div class="row-text">
        <span class="row-title">{name}</span>
        <span class="row-note">
          {KINDS[call.callType]} · {historyText(call)}
        </span>
      </div>
      <time class="row-time" dateTime={call.createdAt}>
        {moment(call.createdAt, now)}
      </time>
      {other && isGoingOn && (
        <RoundButton icon="video" label={`Join the call with ${name}`} onClick={() => onJoin(call.id, other)} />
      )}
      {other && !isGoingOn && (
        <RoundButton
          icon={isVideo ? "video" : "phone"}
          label={`Call ${name} again by ${isVideo ? "video" : "voice"}`}
          onClick={() => (isGroup ? onCallGroup(others, true) : onCall({ userId: other.userId, name }, isVideo))}
        />
      )}
      <RowMenu
        label={`More for the call with ${name}`}
        items={[{ label: "Remove from Recents", isDanger: true, onSelect: () => onRemove(call.id) }]}
      />
    </li>
  );
}
