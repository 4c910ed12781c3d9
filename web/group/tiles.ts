import type { Participant } from "../../client/index.ts";

/** Which tiles a group call has, and which of them is large. Pure. */

export type Tile =
  | { readonly kind: "own"; readonly id: "own" }
  | { readonly kind: "camera" | "screen"; readonly id: string; readonly participant: Participant };

/** What its user has chosen; `auto` is large where somebody shares a screen. */
export type View = "auto" | "grid" | "speaker";

const OWN: Tile = { kind: "own", id: "own" };

/** Shared screens first, then everybody who is in the call or being called, and this window's user last. */
export function tilesOf(participants: readonly Participant[]): Tile[] {
  const here = participants.filter(({ state }) => state === "joined" || state === "invited");
  const screens = here.filter(({ sends }) => sends.has("screen"));
  return [
    ...screens.map((participant): Tile => ({ kind: "screen", id: `${participant.key}/screen`, participant })),
    ...here.map((participant): Tile => ({ kind: "camera", id: participant.key, participant })),
    OWN,
  ];
}

/** The large one: a screen, else who speaks, else who came first. Null: all are alike. */
export function largeTile(tiles: readonly Tile[], view: View): Tile | null {
  const screen = tiles.find(({ kind }) => kind === "screen");
  if (view === "grid" || (view === "auto" && !screen)) return null;
  const others = tiles.filter((tile) => tile.kind === "camera" && tile.participant.state === "joined");
  const speaker = others.find((tile) => tile.kind === "camera" && tile.participant.isSpeaking);
  return screen ?? speaker ?? others[0] ?? null;
}
