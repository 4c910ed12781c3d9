import type { DeviceRef } from "../../schema/ids.ts";
import type { RoomTrack, SentTrack, TrackSource } from "../../schema/room.ts";

/** The room of a group call: where its media is, and who is in it. Times are Unix ms. */

/** An offer that waits for a node, or for the node's socket. */
export interface Waiting {
  readonly participantId: string;
  /** The id of the client's command. */
  readonly re: string | null;
  readonly sdp: string;
  readonly tracks: readonly SentTrack[];
}

/** A device that is in the room, or wants to be. */
export interface Member extends DeviceRef {
  /** Its place: the latest, also when that one is gone. */
  readonly participantId: string;
  /** Of the room that its place is in; 0 without a place. */
  readonly epoch: number;
  /** Its place in the old room, while that one is still served. */
  readonly former: string | null;
  readonly waiting: Waiting | null;
}

/** A node is looked for. */
export interface Seeking {
  readonly epoch: number;
  /** Counts all that the room has ever made, so that a late answer is known as one. */
  readonly attempt: number;
  /** The node that is to dial; null while the fleet is asked. */
  readonly nodeId: string | null;
  /** Nodes that have failed. */
  readonly tried: readonly string[];
  readonly since: number;
  /** Then the next one is tried. */
  readonly until: number;
  /** Who is told when the room is open: those who wait are answered anyway. */
  readonly tells: "nobody" | "members" | "devices";
}

export type Phase =
  | { readonly kind: "none" }
  | { readonly kind: "seeking"; readonly seeking: Seeking }
  | {
      readonly kind: "open";
      readonly nodeId: string;
      /** The node wants to be rid of the room by then; null while it does not. */
      readonly drainUntil: number | null;
      /** Where it is about to go. */
      readonly next: Seeking | null;
      /** Places that were given up while the node had no socket: it is told once it has one. */
      readonly leaving: readonly string[];
    };

/** The room before, whose node serves it until all have moved. */
export interface Old {
  readonly epoch: number;
  readonly nodeId: string;
  readonly until: number;
}

/** What is written: one row, only when somebody joins or leaves, and when the room moves. */
export interface Placed {
  /** Of the room that is open, or is to be next. */
  readonly epoch: number;
  /** The call's media is to be in a room. */
  readonly isWanted: boolean;
  /** It has been. */
  readonly hasOpened: boolean;
  readonly phase: Phase;
  readonly old: Old | null;
  /** No node was found, for the first time at `since`; it is looked for again at `at`. */
  readonly retry: { readonly since: number; readonly at: number } | null;
  readonly attempts: number;
  readonly members: readonly Member[];
}

/** The node has been asked for something. */
export interface Request {
  readonly id: string;
  readonly kind: "join" | "offer";
  readonly participantId: string;
  readonly re: string | null;
  readonly until: number;
}

export interface Probe {
  readonly id: string;
  readonly until: number;
  /** Participants who have lost their ICE. */
  readonly reporters: readonly string[];
}

/**
 * What is not written, since a row for each of it would cost more than all of the call. The first three hibernate with
 * the node's socket; for the rest a timer runs, which keeps the object from hibernating.
 */
export interface Live {
  /** What each participant sends. */
  readonly tracks: Readonly<Record<string, readonly RoomTrack[]>>;
  /** What each participant's user has muted. */
  readonly muted: Readonly<Record<string, readonly TrackSource[]>>;
  /** The participant who speaks. */
  readonly speaker: string | null;
  readonly requests: readonly Request[];
  readonly probe: Probe | null;
  /** The object has restarted, and the node's socket is gone with all others: it is waited for. */
  readonly goneUntil: number | null;
}

export interface Room {
  readonly placed: Placed;
  readonly live: Live;
}

export const NOTHING_LIVE: Live = {
  tracks: {},
  muted: {},
  speaker: null,
  requests: [],
  probe: null,
  goneUntil: null,
};

export const NO_ROOM: Room = {
  placed: {
    epoch: 1,
    isWanted: false,
    hasOpened: false,
    phase: { kind: "none" },
    old: null,
    retry: null,
    attempts: 0,
    members: [],
  },
  live: NOTHING_LIVE,
};
