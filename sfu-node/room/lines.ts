import { KIND_OF, type MediaKind, type SentTrack, type TrackSource } from "../../schema/room.ts";
import { RoomRefusal } from "./refusal.ts";

/**
 * The m-lines of one participant's connection, in their order. Pure. A line stays for as long as the connection does
 * (RFC 3264, section 8): one that is not needed is idle until a track of its kind needs it, so a room in which people
 * come and go for hours has no more lines than it once had tracks.
 */
export interface Line {
  readonly mid: string;
  /** Null: the client offered what no room carries. */
  readonly kind: MediaKind | null;
  readonly use: Use;
}

export type Use =
  /** The client sends; `renumbering`: it will once it has answered the SFU's numbers. */
  | { readonly type: "upload"; readonly source: TrackSource; readonly isRenumbering: boolean }
  | { readonly type: "download"; readonly track: string }
  /** Chromium estimates what it can receive only from packets of an m-line that it knows: mediasoup's probes. */
  | { readonly type: "probator" }
  | { readonly type: "idle" }
  /** Its port is 0. Only the client may take it anew, and as what it likes (RFC 3264, section 8). */
  | { readonly type: "refused" };

/** Somebody's track, as those who receive it know it. */
export interface Track {
  readonly key: string;
  readonly kind: MediaKind;
}

export interface Placed {
  readonly lines: readonly Line[];
  /** Tracks that have a line now and had none. */
  readonly added: readonly { readonly mid: string; readonly track: string }[];
  readonly removed: readonly { readonly mid: string; readonly track: string }[];
}

/** A line for each track, and none for the others. Lines of tracks that stay do not change. */
export function place(lines: readonly Line[], tracks: readonly Track[], withProbator: boolean): Placed {
  const wanted = new Map(tracks.map((track) => [track.key, track]));
  const removed = lines.flatMap(({ mid, use }) =>
    use.type === "download" && !wanted.has(use.track) ? [{ mid, track: use.track }] : [],
  );
  const gone = new Set(removed.map(({ mid }) => mid));
  const kept: Line[] = lines.map((line) => (gone.has(line.mid) ? { ...line, use: { type: "idle" } } : line));
  for (const { use } of kept) if (use.type === "download") wanted.delete(use.track);
  const added: { mid: string; track: string }[] = [];
  for (const { key, kind } of wanted.values()) {
    added.push({ mid: put(kept, kind, { type: "download", track: key }), track: key });
  }
  // By its name, which a client may have taken: then there are no probes.
  const hasProbator = kept.some(({ mid }) => mid === PROBATOR);
  if (withProbator && !hasProbator && tracks.some(({ kind }) => kind === "video")) {
    kept.push({ mid: PROBATOR, kind: "video", use: { type: "probator" } });
  }
  return { lines: kept, added, removed };
}

/** As mediasoup's worker marks its probes. */
export const PROBATOR = "probator";

function put(lines: Line[], kind: MediaKind, use: Use): string {
  const free = lines.findIndex((line) => line.kind === kind && line.use.type === "idle");
  const line = lines[free];
  const mid = line?.mid ?? unusedMid(lines);
  lines.splice(line ? free : lines.length, line ? 1 : 0, { mid, kind, use });
  return mid;
}

/** The client's mids are its own choice, so every name may be taken. */
function unusedMid(lines: readonly Line[]): string {
  const taken = new Set(lines.map(({ mid }) => mid));
  let count = lines.length;
  while (taken.has(`s${count}`)) count++;
  return `s${count}`;
}

/** What a client's m-section is to the room. */
export interface OfferedSection {
  readonly mid: string;
  readonly kind: MediaKind | null;
  /** The client sends on it. */
  readonly isSending: boolean;
  readonly isRejected: boolean;
}

/**
 * The lines after a client's offer: all that there were, in their order, and new ones behind.
 * @throws RoomRefusal `bad_message`
 */
export function offered(
  lines: readonly Line[],
  sections: readonly OfferedSection[],
  sent: readonly SentTrack[],
): readonly Line[] {
  if (sections.length < lines.length) throw bad(`has ${sections.length} m-sections, and had ${lines.length}`);
  for (const [index, line] of lines.entries()) requireSame(line, sections[index], index);
  const sources = sourcesOf(lines, sections, sent);
  return sections.map(({ mid, kind, isRejected }, index): Line => {
    if (kind === null || isRejected) return { mid, kind, use: { type: "refused" } };
    const before = lines[index];
    const source = sources.get(mid);
    if (source !== undefined) {
      const isRenumbering = before?.use.type === "upload" && before.use.isRenumbering;
      return { mid, kind, use: { type: "upload", source, isRenumbering } };
    }
    return before && isOurs(before) ? before : { mid, kind, use: { type: "idle" } };
  });
}

/**
 * What the client sends on each of its lines: what it says, what it said before, or what is left. It may send on any:
 * `addTrack` takes the first line that is free to (W3C WebRTC, section 5.1), and what came on that moves.
 */
function sourcesOf(
  lines: readonly Line[],
  sections: readonly OfferedSection[],
  sent: readonly SentTrack[],
): ReadonlyMap<string, TrackSource> {
  const said = new Map(sent.map(({ mid, source }) => [mid, source]));
  for (const { mid, use } of lines) if (use.type === "upload" && !said.has(mid)) said.set(mid, use.source);
  const sources = new Map<string, TrackSource>();
  for (const isSaid of [true, false]) {
    for (const { mid, kind, isSending } of sections) {
      if (kind === null || !isSending || said.has(mid) !== isSaid) continue;
      const used = new Set(sources.values());
      sources.set(mid, oneOf(said.get(mid) ?? defaultSource(kind, used), kind, used));
    }
  }
  return sources;
}

function oneOf(source: TrackSource, kind: MediaKind, used: ReadonlySet<TrackSource>): TrackSource {
  if (KIND_OF[source] !== kind) throw bad(`tracks: a ${source} is no ${kind}`);
  if (used.has(source)) throw bad(`tracks: there are two of ${source}`);
  return source;
}

function isOurs({ use }: Line): boolean {
  return use.type === "download" || use.type === "probator";
}

/** RFC 3264, section 8: a line that is there cannot become another. */
function requireSame({ mid, kind, use }: Line, section: OfferedSection | undefined, index: number): void {
  if (!section || use.type === "refused") return;
  if (kind !== section.kind) throw bad(`m-section ${index} was ${kind}, and is ${section.kind ?? "another"}`);
  if (mid !== section.mid) throw bad(`m-section ${index} was ${mid}, and is ${section.mid}`);
}

const SOURCES: Readonly<Record<MediaKind, readonly TrackSource[]>> = {
  audio: ["microphone", "screen_audio"],
  video: ["camera", "screen"],
};

function defaultSource(kind: MediaKind, used: ReadonlySet<TrackSource>): TrackSource {
  const source = SOURCES[kind].find((candidate) => !used.has(candidate));
  if (source === undefined) throw bad(`has more ${kind} tracks than there are sources`);
  return source;
}

function bad(problem: string): RoomRefusal {
  return new RoomRefusal("bad_message", `sdp: ${problem}`);
}
