import type { CallType } from "../schema/call.ts";
import type { CallLink } from "./call-link.ts";
import type { Self } from "./call-state.ts";

export interface Person {
  readonly userId: string;
  /** As the server knows it; null where it has not said. */
  readonly name: string | null;
}

export interface CallOptions {
  readonly link: CallLink;
  readonly direction: Self["direction"];
  readonly callType: CallType;
  readonly person: Person;
  /** In a group call that this device makes: all who are called. */
  readonly people?: readonly Person[];
  readonly id: string | null;
  /** The caller's offer, for an incoming call. */
  readonly offer?: string | undefined;
  /** How long an incoming call may still ring. */
  readonly remainingMs?: number;
  /** For a call that is taken over from another device: when it was answered, in Unix ms. */
  readonly movingSince?: number;
}

/** What a call goes on as that crossed another one. */
export interface MergedInto {
  readonly callId: string;
  readonly callType: CallType;
  readonly sdp: string | undefined;
}
