import type { DeviceRef } from "../../schema/ids.ts";
import type { RoomTrack, SentTrack, TrackSource } from "../../schema/room.ts";
import type { ToNode } from "../../schema/room-socket.ts";

/** The room of a group call: where its media is, and who is in it. Times are Unix ms. */

/** An offer that waits for a node, or for the node's socket. */
export interface Waiting {
  readonly participantId: string;
  /** The id of the client's command. */
  readonly re: string | null;
  readonly sdp: string;
  readonly tracks: readonly SentTrack[];
  /** How far its device is from each region, in ms; empty where there is one region, or nothing is known. */
  readonly rtts: Rtts;
}

export type Rtts = Readonly<Record<string, number>>;

/** A device that is in the room, or wants to be. */
export interface Member extends DeviceRef {
  /** Its place: the latest, also when that one is gone. */
  readonly participantId: string;
  /** Where its place is, or was last: it comes back there; null before the first one. */
  readonly nodeId: string | null;
  /** Of the room that its place is in; 0 without a place. */
  readonly epoch: number;
  /** Its place in the old room, while that one is still served. */
  readonly former: string | null;
  readonly waiting: Waiting | null;
}

/** What the fleet said of a node. */
export interface Terms {
  /** For so many people of this room it has room. */
  readonly takes: number;
  readonly region: string;
}

export const NO_TERMS: Terms = { takes: 0, region: "" };

/** A node is looked for. */
export interface Seeking {
  readonly epoch: number;
  /** Counts all that the room has ever made, so that a late answer is known as one. */
  readonly attempt: number;
  /** The node that is to dial; null while the fleet is asked. */
  readonly nodeId: string | null;
  /** Of the node. */
  readonly terms: Terms;
  /** Nodes that have failed. */
  readonly tried: readonly string[];
  readonly since: number;
  /** Then the next one is tried. */
  readonly until: number;
  /** Who is told when the room is open: those who wait are answered anyway. */
  readonly tells: "nobody" | "members" | "devices";
}

/**
 * A further node of the room, which takes those for whom the home node has no room, or who are nearer to this one. It is
 * of the same epoch, and joined to each other node of the room by a pipe.
 */
export interface Satellite {
  readonly nodeId: string;
  readonly terms: Terms;
  /** It wants to be rid of its people: they are told to join anew, and nobody comes to it. */
  readonly isDraining: boolean;
  /** As of the home node. */
  readonly leaving: readonly string[];
}

/** A satellite is looked for: once, since there is a home node for those who wait. */
export interface Reaching {
  readonly attempt: number;
  /** Null: any one will do. */
  readonly region: string | null;
  /** Null while the fleet is asked. */
  readonly nodeId: string | null;
  readonly terms: Terms;
  readonly until: number;
}

/** A place on a node that wants to stop, whose device has asked for another one: it goes on for a while. */
export interface Lingering extends DeviceRef {
  readonly participantId: string;
  readonly nodeId: string;
  readonly until: number;
}

export type Phase =
  | { readonly kind: "none" }
  | { readonly kind: "seeking"; readonly seeking: Seeking }
  | {
      readonly kind: "open";
      /** The home node: it says who speaks. */
      readonly nodeId: string;
      readonly terms: Terms;
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

/** One of two whose media is peer to peer, or about to be. */
export interface PairEnd extends DeviceRef {
  /** Its place in the room. */
  readonly participantId: string;
  /** It has the connection. */
  readonly isUp: boolean;
}

/** Two alone, in a deployment that wants them to leave the room. */
export type Pairing =
  /** If they still are `at`, they are asked to connect with each other. */
  | { readonly kind: "alone"; readonly at: number }
  | {
      readonly kind: "opening";
      readonly connectionId: string;
      /** The first one offers. */
      readonly ends: readonly PairEnd[];
      readonly until: number;
    }
  /** They could not connect: it is tried again once somebody else has been there. */
  | { readonly kind: "failed" }
  /** There is no room. */
  | { readonly kind: "paired"; readonly connectionId: string; readonly ends: readonly PairEnd[] };

/** What is written: one row, only when somebody joins or leaves, and when the room moves. */
export interface Placed {
  /** Of the room that is open, or is to be next. */
  readonly epoch: number;
  /** The call's media is to be in a room. */
  readonly isWanted: boolean;
  /** It has been. */
  readonly hasOpened: boolean;
  readonly phase: Phase;
  /** Only while it is open. */
  readonly satellites: readonly Satellite[];
  readonly reaching: Reaching | null;
  readonly old: Old | null;
  /** No node was found, for the first time at `since`; it is looked for again at `at`. */
  readonly retry: { readonly since: number; readonly at: number } | null;
  readonly attempts: number;
  readonly members: readonly Member[];
  readonly pairing: Pairing | null;
  readonly lingering: readonly Lingering[];
}

/** The node has been asked for something. */
export interface Request {
  readonly id: string;
  readonly kind: "join" | "offer";
  readonly participantId: string;
  readonly nodeId: string;
  readonly re: string | null;
  readonly until: number;
}

export interface Probe {
  readonly id: string;
  readonly until: number;
  /** Participants who have lost their ICE. */
  readonly reporters: readonly string[];
}

/** Whether a node lives: of the home node, and of each satellite. */
export interface NodeLive {
  readonly probe: Probe | null;
  /** The object has restarted, and the node's socket is gone with all others: it is waited for. */
  readonly goneUntil: number | null;
  /** What the other nodes have to say to it meanwhile. */
  readonly held: readonly ToNode[];
}

export const WELL: NodeLive = { probe: null, goneUntil: null, held: [] };

/**
 * What is not written, since a row for each of it would cost more than all of the call. The first three hibernate with
 * the node's socket; for the rest a timer runs, which keeps the object from hibernating.
 */
export interface Live extends NodeLive {
  /** What each participant sends. */
  readonly tracks: Readonly<Record<string, readonly RoomTrack[]>>;
  /** What each participant's user has muted. */
  readonly muted: Readonly<Record<string, readonly TrackSource[]>>;
  /** The participant who speaks. */
  readonly speaker: string | null;
  readonly requests: readonly Request[];
  readonly satellites: Readonly<Record<string, NodeLive>>;
  /** Until when no satellite is looked for in a region, as there was none; in any: "". */
  readonly unreached: Readonly<Record<string, number>>;
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
  satellites: {},
  unreached: {},
  ...WELL,
};

export const NO_ROOM: Room = {
  placed: {
    epoch: 1,
    isWanted: false,
    hasOpened: false,
    phase: { kind: "none" },
    satellites: [],
    reaching: null,
    old: null,
    retry: null,
    attempts: 0,
    members: [],
    pairing: null,
    lingering: [],
  },
  live: NOTHING_LIVE,
};
