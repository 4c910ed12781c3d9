import type { Caller, CallState, CallType, EndReason, LegState, Outcome, ParticipantState } from "../../schema/call.ts";
import type { DeviceRef } from "../../schema/ids.ts";

/** What a CallObject keeps. One row, written whole; times are Unix ms. */

/** One callee device that was told of the call. */
export interface Leg {
  readonly deviceId: string;
  readonly state: LegState;
}

/** A stay of one device in the call: a user may be in it with two, and a handoff has two. */
export interface Stay {
  readonly deviceId: string;
  readonly joinedAt: number;
  readonly leftAt: number | null;
}

export interface Participant {
  readonly userId: string;
  readonly name: string;
  readonly role: "caller" | "callee";
  readonly state: ParticipantState;
  readonly legs: readonly Leg[];
  readonly stays: readonly Stay[];
}

/** The answer that won: written once, never changed. */
export interface Answer {
  readonly by: DeviceRef;
  readonly at: number;
}

export type Phase =
  | { readonly kind: "ringing"; readonly until: number }
  | { readonly kind: "connecting"; readonly answer: Answer; readonly until: number }
  | { readonly kind: "connected"; readonly answer: Answer }
  | { readonly kind: "reconnecting"; readonly answer: Answer }
  | {
      readonly kind: "ended";
      readonly outcome: Outcome;
      readonly reason: EndReason;
      readonly at: number;
      readonly by: DeviceRef | null;
      readonly answer: Answer | null;
    };

export interface Call {
  readonly callId: string;
  readonly callType: CallType;
  /** Grows by one with every committed change, and only then: a new revision is what is written. */
  readonly rev: number;
  readonly createdAt: number;
  readonly caller: Caller;
  readonly participants: readonly Participant[];
  readonly phase: Phase;
  readonly offer: string | null;
  readonly answerSdp: string | null;
  /** Last sign of life of the call's sockets or media, as of the last commit. */
  readonly lastSignAt: number;
  /**
   * What each user's object has heard of the call. Kept up to date in memory and written with the
   * next commit: an eviction before that costs one repeated message, a write would cost a row.
   */
  readonly heard: Readonly<Record<string, CallState>>;
  /** When a delivery that failed is tried again. */
  readonly redeliverAt: number | null;
  /** The revision that the ledger should know, the one it has confirmed, and when it was last told. */
  readonly ledger: { readonly due: number; readonly confirmed: number; readonly toldAt: number };
}

/** A call as one of its users' objects needs to know it; each one replaces the one before. */
export interface CallView {
  readonly callId: string;
  readonly rev: number;
  readonly userId: string;
  readonly role: "caller" | "callee";
  readonly callType: CallType;
  readonly caller: Caller;
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
    readonly by: DeviceRef | null;
  } | null;
  /** How many of the callee's devices alert. */
  readonly alerting: { readonly userId: string; readonly devices: number } | null;
  /** The user's devices that are in the call. */
  readonly joined: readonly string[];
  /** Devices that hear of the call on a call socket, and so not from their user's object. */
  readonly onCallSocket: readonly string[];
  readonly people: readonly { readonly userId: string; readonly name: string; readonly state: ParticipantState }[];
}
