import { KIND_OF, MAX_PRIORITY, type MediaKind, TrackSource, type VideoRequest } from "../../schema/room.ts";

/** Who forwards what to whom. Pure: a room is what its people send, want and say. */
export interface Room {
  readonly people: ReadonlyMap<string, Person>;
  /** Who has spoken, the latest first. */
  readonly speakers: readonly string[];
  /** Videos that somebody who has said nothing of their wishes is sent. */
  readonly lastN: number;
}

export interface Person {
  readonly tracks: ReadonlyMap<TrackSource, SentTrack>;
  readonly muted: ReadonlySet<TrackSource>;
  /** Null: has said nothing, and gets what there is. */
  readonly wants: readonly VideoRequest[] | null;
}

export interface SentTrack {
  readonly producerId: string;
  /** Of the same picture in several sizes, the largest last; 1 without simulcast. */
  readonly layers: number;
}

/** Somebody's track, as a receiver gets it. */
export interface Plan {
  /** Of the producer: another one in its place has other SSRCs, of which the receiver has to be told. */
  readonly key: string;
  readonly participantId: string;
  readonly source: TrackSource;
  readonly kind: MediaKind;
  readonly producerId: string;
  readonly isPaused: boolean;
  /** The largest layer that is wanted, from 0. */
  readonly layer: number;
  /** Of mediasoup: 1 to 255. */
  readonly priority: number;
}

const NOBODY: Person = { tracks: new Map(), muted: new Set(), wants: null };
const DEFAULT_PRIORITY = 1;
/** Pixels that a camera is taken to have: no stack says how large its layers are, and each is half of the next. */
const FULL_HEIGHT = 720;

export function createRoom(lastN: number): Room {
  return { people: new Map(), speakers: [], lastN };
}

export function join(room: Room, id: string, muted: readonly TrackSource[]): Room {
  return put(room, id, { ...NOBODY, muted: new Set(muted) });
}

export function leave(room: Room, id: string): Room {
  const people = new Map(room.people);
  people.delete(id);
  return { ...room, people, speakers: room.speakers.filter((speaker) => speaker !== id) };
}

export function setTracks(room: Room, id: string, tracks: ReadonlyMap<TrackSource, SentTrack>): Room {
  return change(room, id, (person) => ({ ...person, tracks }));
}

export function setMuted(room: Room, id: string, muted: readonly TrackSource[]): Room {
  return change(room, id, (person) => ({ ...person, muted: new Set(muted) }));
}

export function setWants(room: Room, id: string, wants: readonly VideoRequest[]): Room {
  return change(room, id, (person) => ({ ...person, wants }));
}

export function spoke(room: Room, id: string): Room {
  if (!room.people.has(id)) return room;
  return { ...room, speakers: [id, ...room.speakers.filter((speaker) => speaker !== id)] };
}

/** What one participant gets of the others: audio of all, and video as they want it. */
export function plansFor(room: Room, receiver: string): Plan[] {
  const wants = room.people.get(receiver)?.wants ?? null;
  const shown = wants === null ? lastSpeakers(room, receiver) : null;
  const plans: Plan[] = [];
  for (const [participantId, { tracks, muted }] of room.people) {
    if (participantId === receiver) continue;
    for (const [source, { producerId, layers }] of tracks) {
      const kind = KIND_OF[source];
      const wanted = kind === "audio" ? ANY : wish(wants, shown, participantId, source);
      plans.push({
        key: `${keyOf(participantId, source)}/${producerId}`,
        participantId,
        source,
        kind,
        producerId,
        isPaused: muted.has(source) || wanted.height === 0,
        layer: layerFor(wanted.height, layers),
        priority: Math.min(wanted.priority + 1, MAX_PRIORITY),
      });
    }
  }
  return plans;
}

/** Names a track in a room. */
export function keyOf(participantId: string, source: TrackSource): string {
  return `${participantId}/${source}`;
}

/** Whose track a plan's key names, and which. */
export function readKey(key: string): readonly [participantId: string, source: TrackSource | undefined] {
  const [participantId = "", source] = key.split("/");
  return [participantId, TrackSource.safeParse(source).data];
}

/** The largest height that anybody wants of a video; infinite: as high as it is. What is larger need not be sent at all. */
export function demand(room: Room, sender: string, source: VideoRequest["source"]): number {
  let height = 0;
  for (const [receiver, { wants }] of room.people) {
    if (receiver === sender) continue;
    const shown = wants === null ? lastSpeakers(room, receiver) : null;
    height = Math.max(height, wish(wants, shown, sender, source).height);
  }
  return height;
}

interface Wish {
  /** Pixels; 0: not at all. */
  readonly height: number;
  readonly priority: number;
}

const ANY: Wish = { height: Number.POSITIVE_INFINITY, priority: DEFAULT_PRIORITY };
const NONE: Wish = { height: 0, priority: DEFAULT_PRIORITY };

/** Somebody who says what they want gets nothing else. */
function wish(
  wants: readonly VideoRequest[] | null,
  shown: Shown | null,
  participantId: string,
  source: TrackSource,
): Wish {
  if (wants === null) return shown?.has(participantId) ? ANY : NONE;
  const found = wants.find((want) => want.participantId === participantId && want.source === source);
  return found ? { height: found.height, priority: found.priority ?? DEFAULT_PRIORITY } : NONE;
}

type Shown = Pick<ReadonlySet<string>, "has">;

/** Those who spoke last, and then those who came first, of those who can be seen; all where there are not too many. */
function lastSpeakers({ people, speakers, lastN }: Room, receiver: string): Shown {
  if (people.size <= lastN) return people;
  const order = [...new Set([...speakers, ...people.keys()])];
  return new Set(order.filter((id) => id !== receiver && isSeen(people.get(id))).slice(0, lastN));
}

function isSeen({ tracks, muted }: Person = NOBODY): boolean {
  return [...tracks.keys()].some((source) => KIND_OF[source] === "video" && !muted.has(source));
}

/** The smallest layer that is as high as it is shown. */
export function layerFor(height: number, layers: number): number {
  for (let layer = 0; layer < layers - 1; layer++) {
    if (FULL_HEIGHT / 2 ** (layers - 1 - layer) >= height) return layer;
  }
  return layers - 1;
}

function change(room: Room, id: string, how: (person: Person) => Person): Room {
  const person = room.people.get(id);
  return person ? put(room, id, how(person)) : room;
}

function put(room: Room, id: string, person: Person): Room {
  return { ...room, people: new Map(room.people).set(id, person) };
}
