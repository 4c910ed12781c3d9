import type { Caller, CallState, CallType, EndReason, LegState, Outcome, ParticipantState } from "../../schema/call.ts";
import type { LogEntry } from "../../schema/call-log.ts";
import type { DeviceRef } from "../../schema/ids.ts";

/** What a CallObject keeps. One row, written whole; times are Unix ms. */

/** One callee device that was told of the call. */
export interface Leg {
  readonly deviceId: string;
  readonly state: LegState;
}

/** A stay of one device in the call: a handoff has two, and a user may be in a group with two devices. */
export interface Stay {
  readonly deviceId: string;
  readonly joinedAt: number;
  readonly leftAt: number | null;
  /** It left because another of the user's devices took over. */
  readonly isMoved: boolean;
}

/**
 * How a callee's object takes the call: it rings, or it says nothing (`quiet`: no device wants to be disturbed; `silent`:
 * the user is not rung by this caller; `blocked`: this caller). The last two it has not taken at all. The caller cannot
 * tell any of them from a device that was pushed and never alerted.
 */
export type Silence = "none" | "quiet" | "silent" | "blocked";

/** Who did something: over HTTP a user may decline and not say with which device. */
export interface Actor {
  readonly userId: string;
  readonly deviceId: string | null;
}

/** How somebody's part in the call was over. */
export interface Settled {
  readonly at: number;
  readonly by: Actor | null;
  readonly reason: EndReason;
}

export interface Participant {
  readonly userId: string;
  readonly name: string;
  readonly role: "caller" | "callee";
  readonly state: ParticipantState;
  /** When the ringing ends, of somebody who is invited. */
  readonly ringUntil: number;
  /** Null while invited or joined. */
  readonly settled: Settled | null;
  readonly legs: readonly Leg[];
  readonly stays: readonly Stay[];
  readonly isHolding: boolean;
  readonly silence: Silence;
  /** The user who has them rung. */
  readonly invitedBy: string;
  /** Has connected devices that are not in the call, which are to know where it is. */
  readonly hasIdleDevices: boolean;
  /** Nobody has told of such a user: they are shown to nobody, and only keep the others' places. */
  readonly isUnknown: boolean;
}

/** The first answer: written once, never changed. */
export interface Answer {
  readonly by: DeviceRef;
  readonly at: number;
}

/** The call in the other direction that goes on in this one's place. */
export interface Merge {
  readonly callId: string;
  readonly callType: CallType;
  readonly sdp: string | null;
}

export type Phase =
  | { readonly kind: "ringing" }
  | { readonly kind: "connecting"; readonly answer: Answer; readonly until: number }
  | { readonly kind: "connected"; readonly answer: Answer }
  | { readonly kind: "reconnecting"; readonly answer: Answer }
  | {
      readonly kind: "ended";
      readonly outcome: Outcome;
      readonly reason: EndReason;
      readonly at: number;
      readonly by: Actor | null;
      readonly answer: Answer | null;
      readonly mergedInto: Merge | null;
    };

/** A device is taking the call over, but the other one still has it: make before break. */
export interface Handoff {
  readonly userId: string;
  readonly from: string;
  readonly to: string;
  readonly until: number;
  /** Names the second connection on the wire. */
  readonly connectionId: string;
  /** The device that has the call has reported that its media failed: without the new one it is over. */
  readonly isSourceLost: boolean;
}

/** A handoff that is over, by its number in the call. */
export interface HandoffResult {
  readonly count: number;
  readonly last: { readonly userId: string; readonly from: string; readonly to: string } | null;
}

export interface Call {
  readonly callId: string;
  readonly callType: CallType;
  /** Began between two people: their media is peer to peer, also when others join. */
  readonly isPair: boolean;
  /** Grows by one with every decision, and only then: a new revision is what is written. */
  readonly rev: number;
  readonly createdAt: number;
  readonly caller: Caller;
  /** In the order in which they were invited; nobody is taken out. */
  readonly participants: readonly Participant[];
  readonly phase: Phase;
  readonly offer: string | null;
  readonly answerSdp: string | null;
  readonly handoff: Handoff | null;
  readonly moves: HandoffResult;
  readonly drops: HandoffResult;
  /** How often anything changed that devices are told of, and when last. */
  readonly turns: number;
  readonly turnedAt: number;
  /** Since when the calling device has no socket, while the call rings. */
  readonly callerLostAt: number | null;
  /** Last sign of life of the call's sockets or media, as of the last commit. */
  readonly lastSignAt: number;
  /**
   * What each user's object has heard of the call. Kept up to date in memory and written with the
   * next commit: an eviction before that costs one repeated message, a write would cost a row.
   */
  readonly heard: Readonly<Record<string, Told>>;
  /** When a delivery that failed is tried again. */
  readonly redeliverAt: number | null;
  /** The revision that the ledger should know, the one it has confirmed, and when it was last told. */
  readonly ledger: { readonly due: number; readonly confirmed: number; readonly toldAt: number };
  /** What happened, as far as the ledger may not know it. */
  readonly log: readonly LogEntry[];
}

export interface PersonView {
  readonly userId: string;
  readonly name: string;
  readonly state: ParticipantState;
  /** How many of a callee's devices alert. */
  readonly alerting: number;
  readonly isHolding: boolean;
  /** The device with which they are in the call. */
  readonly deviceId: string | null;
  readonly isUnknown: boolean;
}

/** The room that a call's media is in, for one of its users. */
export interface RoomView {
  readonly epoch: number;
  /** The user's devices that are in it. */
  readonly inside: readonly string[];
}

/** A call as one of its users' objects needs to know it; each one replaces the one before. */
export interface CallView {
  readonly callId: string;
  readonly rev: number;
  readonly userId: string;
  readonly role: "caller" | "callee";
  readonly callType: CallType;
  readonly caller: Caller;
  /** The user who has this one rung: in a call that has grown not the caller. */
  readonly invitedBy: string;
  /** As it is for this user: rings for who is invited, is over for who declined or left. */
  readonly state: CallState;
  readonly createdAt: number;
  /** When the ringing ends; meaningful while it rings. */
  readonly ringUntil: number;
  readonly offer: string | null;
  readonly answerSdp: string | null;
  readonly answer: Answer | null;
  readonly ended: {
    readonly outcome: Outcome;
    readonly reason: EndReason;
    readonly at: number;
    readonly by: Actor | null;
    readonly mergedInto: Merge | null;
  } | null;
  /** The user's devices that have said something of the call, over whatever way: they need no push to ring. */
  readonly reacted: readonly string[];
  /** The user's devices that are silenced or busy: they are not rung again when they come back. */
  readonly dismissed: readonly string[];
  /** The user's devices that are in the call, or were when it ended. */
  readonly joined: readonly string[];
  /** The user's devices that were in the call and have handed it over. */
  readonly former: readonly string[];
  /** Devices that hear of the call on a call socket, and so not from their user's object. */
  readonly onCallSocket: readonly string[];
  readonly hasIdleDevices: boolean;
  /** It may give way to one in the other direction. Not for devices: a caller is not to know who turns them away. */
  readonly mayMerge: boolean;
  readonly moves: HandoffResult;
  readonly drops: HandoffResult;
  readonly turns: number;
  readonly turnedAt: number;
  readonly people: readonly PersonView[];
  /** Not as of a revision: whoever wants to know it asks the call. */
  readonly room?: RoomView | undefined;
}

/** What somebody has been told of a call: enough to find what they have not. */
export interface Told {
  readonly state: CallState;
  /** How each participant stands, a letter each. */
  readonly people: string;
  readonly moves: number;
  readonly drops: number;
  /** What has changed and is again as it was differs in this alone; a device that asked in between has seen it. */
  readonly turns: number;
}
