import { useRef } from "preact/hooks";
import type { Participant, Room } from "../../client/index.ts";
import { Avatar } from "../components/avatar.tsx";
import { Icon } from "../components/icon.tsx";
import { StreamVideo } from "./stream-video.tsx";
import { useShown } from "./use-shown.ts";

interface PersonTileProps {
  readonly room: Room;
  readonly participant: Participant;
}

/** Somebody: their picture while they send one, their name, and whether they can be heard. */
export function PersonTile({ room, participant }: PersonTileProps) {
  const { key, userId, state, isRinging, isHolding, isSpeaking, muted, streams } = participant;
  const tile = useRef<HTMLLIElement>(null);
  useShown(tile, room, { key, source: "camera", fit: "cover" });
  const name = participant.name || "Somebody";
  const isIn = state === "joined";
  const note = isHolding ? "On hold" : isIn ? null : isRinging ? "Ringing…" : "Calling…";
  return (
    <li ref={tile} class="tile" data-speaking={isIn && isSpeaking && !muted.has("microphone")} data-in={isIn}>
      {/* Seen until the first picture is there. */}
      <Avatar userId={userId} name={name} size="large" />
      {streams.camera && <StreamVideo stream={streams.camera} label={`Video of ${name}`} fit="cover" />}
      <TileName name={name} note={note} isMuted={isIn && muted.has("microphone")} />
    </li>
  );
}

/** What somebody shows of their screen: all of it, however large it is. */
export function ScreenTile({ room, participant }: PersonTileProps) {
  const { key, streams } = participant;
  const tile = useRef<HTMLLIElement>(null);
  useShown(tile, room, { key, source: "screen", fit: "contain" });
  const name = `Screen of ${participant.name || "somebody"}`;
  return (
    <li ref={tile} class="tile tile-screen" data-in="true">
      {streams.screen && <StreamVideo stream={streams.screen} label={name} fit="contain" />}
      <TileName name={name} note={streams.screen ? null : "Loading…"} isMuted={false} />
    </li>
  );
}

interface OwnTileProps {
  readonly userId: string;
  readonly name: string;
  readonly stream: MediaStream | null;
  readonly isMuted: boolean;
  readonly isSpeaking: boolean;
}

/** This window's user, as in a mirror. */
export function OwnTile({ userId, name, stream, isMuted, isSpeaking }: OwnTileProps) {
  return (
    <li class="tile tile-own" data-speaking={isSpeaking && !isMuted} data-in="true">
      {stream ? (
        <StreamVideo stream={stream} label="Your camera" fit="cover" isMirrored />
      ) : (
        <Avatar userId={userId} name={name} size="large" />
      )}
      <TileName name="You" note={null} isMuted={isMuted} />
    </li>
  );
}

interface TileNameProps {
  readonly name: string;
  readonly note: string | null;
  readonly isMuted: boolean;
}

function TileName({ name, note, isMuted }: TileNameProps) {
  return (
    <p class="tile-name">
      {isMuted && (
        <>
          <Icon name="microphoneOff" />
          <span class="visually-hidden">Muted: </span>
        </>
      )}
      <span class="tile-title">{name}</span>
      {note !== null && <span class="tile-note">{note}</span>}
    </p>
  );
}
