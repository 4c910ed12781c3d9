import type { Caller, CallType, DeclineReason } from "../../schema/call.ts";
import type { ErrorCode, Refusal } from "../../schema/errors.ts";
import type { DeviceRef } from "../../schema/ids.ts";
import type { Call, Merge, Silence, Told } from "./state.ts";

/** What can happen to a call, and what becomes of it. */

export interface Create {
  readonly callId: string;
  readonly callType: CallType;
  readonly caller: Caller;
  readonly callees: readonly string[];
  readonly offer: string | null;
  /** The caller has other connected devices. */
  readonly hasIdleDevices: boolean;
}

/** Who speaks: what a user is called is learnt with what they say. */
export interface Speaker extends DeviceRef {
  readonly name?: string | undefined;
}

export type MediaState = "connected" | "failed" | "recovering";

/** What a device of a participant asks for. */
export type Command =
  | { readonly type: "answer"; readonly sdp: string | null; readonly join: boolean }
  | { readonly type: "decline"; readonly reason: DeclineReason }
  | { readonly type: "alerting" }
  | { readonly type: "media"; readonly state: MediaState }
  | { readonly type: "hold"; readonly on: boolean }
  | {
      readonly type: "handoff";
      readonly sdp: string | null;
      readonly to: string | null;
      readonly connectionId: string | null;
    }
  | { readonly type: "invite"; readonly callees: readonly string[] }
  | { readonly type: "end" };

/** A user's object took a view; for a callee, with the devices that it told. */
export interface Delivered {
  readonly type: "delivered";
  readonly userId: string;
  readonly told: Told;
  readonly name: string | null;
  readonly rung: readonly string[];
  readonly pushed: readonly string[];
  readonly silence: Silence;
  readonly hasIdleDevices: boolean;
}

export type Event =
  | { readonly type: "command"; readonly from: Speaker; readonly command: Command }
  /** The user does not want the call, and has not said on which device. */
  | { readonly type: "declined"; readonly userId: string }
  | Delivered
  /** It may have been told, or not. */
  | { readonly type: "delivery_failed"; readonly userId: string }
  /** There is no such user. */
  | { readonly type: "unknown"; readonly userId: string }
  /** These devices cannot be reached: their push tokens are dead. */
  | { readonly type: "unreached"; readonly userId: string; readonly deviceIds: readonly string[] }
  /** A device of a user in the call has connected, or a calling one has lost its sockets. */
  | { readonly type: "connected"; readonly device: DeviceRef; readonly mayRing: boolean }
  | { readonly type: "disconnected"; readonly device: DeviceRef }
  /** Both called each other, and the other call goes on. */
  | { readonly type: "merge"; readonly into: Merge }
  | { readonly type: "ledger_told" }
  | { readonly type: "ledger_confirmed"; readonly rev: number }
  /** `isCallerThere`: has a socket; asked only where it counts (`isCallerAwaited`). */
  | { readonly type: "alarm"; readonly lastSignAt: number; readonly isCallerThere: boolean };

/** The verdict on a command, from which its reply follows. */
export type Verdict =
  | { readonly kind: "done" }
  | { readonly kind: "already_answered" }
  | { readonly kind: "over" }
  /** The device in the call asks an idle one to take over. */
  | { readonly kind: "handoff_wanted"; readonly deviceId: string }
  | { readonly kind: "refused"; readonly code: ErrorCode; readonly message: string };

export interface Step {
  readonly call: Call;
  readonly verdict: Verdict;
}

export const DONE: Verdict = { kind: "done" };

export function refused(code: ErrorCode, message: string): Verdict {
  return { kind: "refused", code, message };
}

/** What a stranger hears is what an unknown call would say. */
export const NO_SUCH_CALL: Refusal = { code: "call_not_found", message: "no such call" };
export const NOT_FOUND = refused(NO_SUCH_CALL.code, NO_SUCH_CALL.message);
export const NOT_IN_CALL = refused("not_in_call", "this device is not in the call");

export function done(call: Call): Step {
  return { call, verdict: DONE };
}
