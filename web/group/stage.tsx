import { useMemo, useRef } from "preact/hooks";
import type { Call, Room } from "../../client/index.ts";
import type { Session } from "../session.ts";
import { gridFor } from "./layout.ts";
import { OwnTile, PersonTile, ScreenTile } from "./tile.tsx";
import { largeTile, type Tile, tilesOf, type View } from "./tiles.ts";
import { useArea } from "./use-area.ts";

const GAP = 8;

interface StageProps {
  readonly call: Call;
  readonly room: Room;
  readonly view: View;
  readonly self: Pick<Session, "userId" | "name">;
}

/** Everybody in the call: all alike, or one of them large above the others. */
export function Stage({ call, room, view, self }: StageProps) {
  const stage = useRef<HTMLDivElement>(null);
  const area = useArea(stage);
  const tiles = tilesOf(room.participants);
  const large = largeTile(tiles, view);
  const small = tiles.filter((tile) => tile !== large);
  const grid = gridFor(small.length, area, GAP);
  const size = large ? {} : { "--tile-width": `${grid.width}px`, "--tile-height": `${grid.height}px` };
  const show = (tile: Tile) => <AnyTile key={tile.id} tile={tile} call={call} room={room} self={self} />;
  return (
    <div ref={stage} class="stage" data-view={large ? "speaker" : "grid"} style={size}>
      {large && (
        <ul class="stage-large" aria-label={large.kind === "screen" ? "Shared screen" : "Speaker"}>
          {show(large)}
        </ul>
      )}
      <ul class="stage-small" aria-label="People in this call" {...(large && { tabIndex: 0 })}>
        {small.map(show)}
      </ul>
    </div>
  );
}

interface AnyTileProps extends Omit<StageProps, "view"> {
  readonly tile: Tile;
}

function AnyTile({ tile, call: { media }, room, self }: AnyTileProps) {
  const camera = media.isOnHold ? null : media.camera;
  const stream = useMemo(() => (camera ? new MediaStream([camera]) : null), [camera]);
  switch (tile.kind) {
    case "own":
      return <OwnTile {...self} stream={stream} isMuted={media.isMuted} isSpeaking={room.isSpeaking} />;
    case "screen":
      return <ScreenTile room={room} participant={tile.participant} />;
    case "camera":
      return <PersonTile room={room} participant={tile.participant} />;
  }
}
