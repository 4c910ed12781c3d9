import type { CallSnapshot, ParticipantState } from "../../schema/call.ts";
import type { DeviceRef } from "../../schema/ids.ts";
import type { RoomParticipant, RoomTrack, TrackSource } from "../../schema/room.ts";
import type { ServerMessage, ServerMessageOf } from "../../schema/server-messages.ts";

/** Who takes part in a group call, as its messages tell. Pure. Each message may come twice. */

export interface People {
  readonly users: ReadonlyMap<string, User>;
  /** Who speaks. */
  readonly speaker: DeviceRef | null;
}

export interface User {
  readonly userId: string;
  readonly name: string;
  readonly state: ParticipantState;
  /** A device of theirs has said that it rings. */
  readonly isRinging: boolean;
  readonly isHolding: boolean;
  /** With which they are in the call. */
  readonly devices: readonly Device[];
}

export interface Device {
  readonly deviceId: string;
  /** Its places in the room, the present one first: what an older connection carries has an older name. */
  readonly places: readonly string[];
  readonly tracks: readonly RoomTrack[];
}

/** A device that is in the call, or somebody who is not. */
export interface Row extends Omit<User, "devices"> {
  readonly device: Device | null;
}

/** A place is of use for as long as a connection may carry it: there are two at most. */
const MAX_PLACES = 3;

export function peopleFrom(known: readonly { userId: string; name: string | null; state: ParticipantState }[]): People {
  const users = known.map(({ userId, name, state }): [string, User] => [userId, stranger(userId, name ?? "", state)]);
  return { users: new Map(users), speaker: null };
}

/** After a message about the call. */
export function hear(people: People, message: ServerMessage): People {
  switch (message.type) {
    case "call_initiated":
      return withoutUsers(people, message.unknownIds ?? []);
    case "call_ringing":
      return change(people, message.userId, (user) => ({ ...user, isRinging: true }));
    case "call_connected":
      return joinedWith(people, message.answeredBy);
    case "call_state":
      return snapshot(people, message);
    case "call_held":
      return change(people, message.userId, (user) => ({ ...user, isHolding: message.on }));
    case "participant_joined":
      return joinedWith(people, message, message.name);
    case "participant_left":
      return left(people, message.userId, "left");
    case "participant_updated":
      return updated(people, message);
    case "room_joined":
      return message.participants.reduce(placed, people);
    case "dominant_speaker_changed":
      return { ...people, speaker: { userId: message.userId, deviceId: message.deviceId } };
    default:
      return people;
  }
}

/**
 * Everybody but this device, in the order of their coming. Of a user's devices those that send nothing are left out
 * where another one sends: such a device has left, or sends nothing to begin with.
 */
export function rows({ users }: People, self: DeviceRef): Row[] {
  return [...users.values()].flatMap(({ devices, ...user }): Row[] => {
    const isSelf = user.userId === self.userId;
    const others = devices.filter(({ deviceId }) => !(isSelf && deviceId === self.deviceId));
    const sending = others.filter(({ tracks }) => tracks.length > 0);
    const shown = sending.length > 0 || isSelf ? sending : others.slice(-1);
    if (shown.length > 0) return shown.map((device) => ({ ...user, device }));
    return isSelf ? [] : [{ ...user, device: null }];
  });
}

/** What somebody sends, and what of theirs is muted. */
export function tracksBy({ device }: Row): { readonly sends: Set<TrackSource>; readonly muted: Set<TrackSource> } {
  const tracks = device?.tracks ?? [];
  const [muted, sent] = [tracks.filter((track) => track.muted), tracks.filter((track) => !track.muted)];
  return { sends: new Set(sent.map(({ source }) => source)), muted: new Set(muted.map(({ source }) => source)) };
}

/** Whether somebody is in the call besides these. */
export function hasOthers({ users }: People, userIds: readonly string[]): boolean {
  return [...users.values()].some(({ userId, state }) => state === "joined" && !userIds.includes(userId));
}

function stranger(userId: string, name: string, state: ParticipantState): User {
  return { userId, name, state, isRinging: false, isHolding: false, devices: [] };
}

function joinedWith(people: People, { userId, deviceId }: DeviceRef, name?: string): People {
  const before = people.users.get(userId) ?? stranger(userId, name ?? "", "joined");
  const isKnown = before.devices.some((device) => device.deviceId === deviceId);
  const devices = isKnown ? before.devices : [...before.devices, { deviceId, places: [], tracks: [] }];
  return put(people, { ...before, name: name ?? before.name, state: "joined", isRinging: false, devices });
}

/** Not in the call any more, or not at all: whatever they sent is gone. */
function left(people: People, userId: string, state: ParticipantState): People {
  const speaker = people.speaker?.userId === userId ? null : people.speaker;
  const out = (user: User): User => {
    const isRinging = user.isRinging && state === "invited";
    return { ...user, state, isRinging, isHolding: false, devices: [] };
  };
  return { ...change(people, userId, out), speaker };
}

function updated(people: People, message: ServerMessageOf<"participant_updated">): People {
  const { userId, name, state, participantId, deviceId, tracks } = message;
  if (participantId !== undefined && deviceId !== undefined) {
    if (tracks?.length === 0 && isFormer(people, userId, participantId))
      return withoutPlace(people, userId, participantId);
    return placed(people, { participantId, userId, deviceId, name, tracks: tracks ?? [] });
  }
  const known = people.users.get(userId) ?? stranger(userId, name, state);
  const named = put(people, { ...known, name, state });
  return state === "joined" ? named : left(named, userId, state);
}

/** Its device is in another place by now. */
function isFormer({ users }: People, userId: string, participantId: string): boolean {
  return users.get(userId)?.devices.some(({ places }) => places.indexOf(participantId) > 0) ?? false;
}

function withoutPlace(people: People, userId: string, participantId: string): People {
  const without = (device: Device) => ({ ...device, places: device.places.filter((place) => place !== participantId) });
  return change(people, userId, (user) => ({ ...user, devices: user.devices.map(without) }));
}

function placed(people: People, { participantId, userId, deviceId, name, tracks }: RoomParticipant): People {
  const joined = joinedWith(people, { userId, deviceId }, name);
  return change(joined, userId, (user) => ({
    ...user,
    devices: user.devices.map((device) => {
      if (device.deviceId !== deviceId) return device;
      const former = device.places.filter((place) => place !== participantId);
      return { deviceId, places: [participantId, ...former].slice(0, MAX_PLACES), tracks };
    }),
  }));
}

function snapshot(people: People, { participants }: Pick<CallSnapshot, "participants">): People {
  return participants.reduce((before, { userId, name, state, deviceId, held = false }) => {
    const known = before.users.get(userId) ?? stranger(userId, name, state);
    const named = put(before, { ...known, name, state, isHolding: held });
    if (state !== "joined") return left(named, userId, state);
    return deviceId === undefined ? named : joinedWith(named, { userId, deviceId }, name);
  }, people);
}

function withoutUsers(people: People, userIds: readonly string[]): People {
  const users = new Map(people.users);
  for (const userId of userIds) users.delete(userId);
  return { ...people, users };
}

function change(people: People, userId: string, how: (user: User) => User): People {
  const user = people.users.get(userId);
  return user ? put(people, how(user)) : people;
}

function put(people: People, user: User): People {
  return { ...people, users: new Map(people.users).set(user.userId, user) };
}
