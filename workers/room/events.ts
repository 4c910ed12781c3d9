import type { RoomMessage } from "../../schema/client-messages.ts";
import type { Refusal } from "../../schema/errors.ts";
import type { DeviceRef } from "../../schema/ids.ts";
import type { FromNode, ToNode } from "../../schema/room-socket.ts";
import type { ServerMessageOf } from "../../schema/server-messages.ts";
import type { Place, Placement } from "../fleet/placement.ts";
import type { Room, Rtts } from "./state.ts";

/** What can happen to a room, and what is to be done about it. */

/** Somebody who is in the call. */
export interface Attendee extends DeviceRef {
  readonly name: string;
}

/** The call, as its room needs to know it. */
export interface Attendance {
  /** It is answered, and not over. */
  readonly isLive: boolean;
  readonly isGroup: boolean;
  /** Somebody is being rung. */
  readonly isRinging: boolean;
  /** It began between two, whose media is peer to peer until there is a room. */
  readonly isPair: boolean;
  /** Its media is to be in a room. */
  readonly isWanted: boolean;
  readonly devices: readonly Attendee[];
}

export interface Context {
  readonly call: Attendance;
  readonly now: number;
  /** How long two have to be alone in a room before they leave it; without it they stay. */
  readonly backToPairMs?: number | undefined;
}

export type Event =
  | { readonly type: "call_changed" }
  /** `id`: a fresh one; `rtts`: from the device to each region. */
  | {
      readonly type: "asked";
      readonly from: DeviceRef;
      readonly message: RoomMessage;
      readonly id: string;
      readonly rtts: Rtts;
    }
  /** A device reports that it has lost its path to the node. */
  | { readonly type: "path_lost"; readonly from: DeviceRef }
  /** It reports that a connection of its own with the other one left is up. */
  | { readonly type: "pair_up"; readonly from: DeviceRef; readonly connectionId: string }
  /** The connection between two has failed. */
  | { readonly type: "pair_lost" }
  /** The fleet has answered. */
  | { readonly type: "placed"; readonly attempt: number; readonly placement: Found }
  | { readonly type: "attached"; readonly epoch: number; readonly nodeId: string }
  /** A node's socket closed, and there is no newer one. */
  | { readonly type: "detached"; readonly epoch: number; readonly nodeId: string }
  | { readonly type: "heard"; readonly epoch: number; readonly nodeId: string; readonly message: FromNode }
  /** The object has lost its memory; `attached`: the nodes whose sockets it still has. */
  | { readonly type: "restarted"; readonly attached: readonly NodeRef[] }
  | { readonly type: "time_passed" };

/** A node of a room. */
export interface NodeRef {
  readonly epoch: number;
  readonly nodeId: string;
}

/** What the fleet says, and of which region. */
export type Found = (Place & { readonly region: string }) | Exclude<Placement, Place>;

/** A further node for a room that has one, for so many people now; in one region, or in any. */
export interface Part {
  readonly region: string | null;
  readonly people: number;
}

type Unstamped<T> = T extends unknown ? Omit<T, "callId" | "rev"> : never;

/** A message to a device, without what all of them have. */
export type Notice = Unstamped<
  ServerMessageOf<
    | "room_joined"
    | "renegotiate"
    | "renegotiate_answer"
    | "participant_updated"
    | "dominant_speaker_changed"
    | "video_wanted"
    | "room_moved"
    | "room_pairing"
    | "room_pairing_failed"
    | "room_closed"
    | "recover"
    | "error"
  >
>;

export type Command =
  | {
      readonly type: "place";
      readonly epoch: number;
      readonly attempt: number;
      readonly exclude: readonly string[];
      readonly part: Part | null;
    }
  | { readonly type: "to_node"; readonly epoch: number; readonly nodeId: string; readonly message: ToNode }
  | { readonly type: "tell"; readonly to: DeviceRef; readonly notice: Notice }
  /** Its path is dead, or nobody reads what is sent on it. */
  | { readonly type: "hang_up"; readonly to: DeviceRef }
  /** `stale`: the room is elsewhere. Without `nodeId`: all nodes of that epoch. */
  | { readonly type: "close"; readonly epoch: number; readonly nodeId?: string; readonly why: "stale" | "over" };

export interface Step {
  readonly room: Room;
  readonly commands: readonly Command[];
}

export function unchanged(room: Room): Step {
  return { room, commands: [] };
}

/** One after the other, each from what the one before has left. */
export function chain(room: Room, ...parts: readonly ((room: Room) => Step)[]): Step {
  return parts.reduce<Step>(
    (before, part) => {
      const { room: after, commands } = part(before.room);
      return { room: after, commands: [...before.commands, ...commands] };
    },
    { room, commands: [] },
  );
}

export function tell({ userId, deviceId }: DeviceRef, notice: Notice): Command {
  return { type: "tell", to: { userId, deviceId }, notice };
}

export function hangUp({ userId, deviceId }: DeviceRef): Command {
  return { type: "hang_up", to: { userId, deviceId } };
}

export function refusal(to: DeviceRef, re: string | null | undefined, { code, message }: Refusal): Command {
  return tell(to, { type: "error", ...(re != null && { re }), code, message });
}

export const UNAVAILABLE: Refusal = { code: "room_unavailable", message: "no media node serves the room now" };
