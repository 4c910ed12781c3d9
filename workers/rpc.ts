import type { InCallMessage } from "../schema/client-messages.ts";
import type { Refusal } from "../schema/errors.ts";
import type { PresenceResponse } from "../schema/http.ts";
import type { DeviceRef } from "../schema/ids.ts";
import type { PushTarget } from "../schema/push.ts";
import type { ServerMessage } from "../schema/server-messages.ts";
import type { Create, Speaker } from "./call/events.ts";
import type { CallView, Merge, Silence } from "./call/state.ts";

/** What objects ask of each other. Each call is one billed request; each may come twice. */

export type Created =
  /** `unknownIds`: callees whom nobody has told of, of several. */
  | { readonly ok: true; readonly view: CallView; readonly unknownIds: readonly string[] }
  | { readonly ok: false; readonly refusal: Refusal };

/** What became of something that was asked over HTTP. */
export interface Answered {
  readonly refusal: Refusal | null;
  /** The call as it stands afterwards; null for a stranger. */
  readonly view: CallView | null;
}

/** How a user's object took a changed call. */
export interface Taken {
  readonly isKnown: boolean;
  readonly name: string | null;
  /** Devices that it told over their sockets, and devices that it has pushed. */
  readonly rung: readonly string[];
  readonly pushed: readonly string[];
  readonly silence: Silence;
  /** It has connected devices that are not in the call. */
  readonly hasIdleDevices: boolean;
}

export interface CallRpc {
  create(input: Create): Promise<Created>;
  /** The caller's object gave up on a call whose creation it has not seen through. */
  abandon(from: DeviceRef): Promise<void>;
  /** @returns what the device hears on its user socket; empty when it has a call socket */
  command(from: Speaker, message: InCallMessage): Promise<ServerMessage[]>;
  /** The same over HTTP: it is answered there, whatever sockets the device has. */
  ask(from: Speaker, message: InCallMessage): Promise<Answered>;
  /** Over HTTP, by a user who did not say with which device. */
  decline(userId: string): Promise<Answered>;
  /** The call as the user may see it; with `mayRing`, a device that came late becomes one that is rung. */
  attend(device: DeviceRef, mayRing: boolean): Promise<CallView | null>;
  /** The call as the user may see it, and nothing else. */
  look(userId: string): Promise<CallView | null>;
  /** The device's user socket has gone. */
  disconnected(device: DeviceRef): Promise<void>;
  /** These devices' push tokens are dead. */
  unreached(userId: string, deviceIds: readonly string[]): Promise<void>;
  /** Both sides called each other: this call gives way. @returns whether it did */
  merge(into: Merge): Promise<boolean>;
  ledgerConfirmed(rev: number): Promise<void>;
}

export interface Confirmation {
  readonly key: string;
  readonly rev: number;
}

export interface UserRpc {
  callChanged(view: CallView): Promise<Taken>;
  /** @returns whether a socket took it; a device that is about to have one is waited for */
  deliver(deviceId: string, messages: ServerMessage[]): Promise<boolean>;
  /** As `viewerId` may see it. */
  presence(viewerId: string): Promise<PresenceResponse>;
  /** @returns the presence now; changes follow through `presenceChanged` */
  watch(watcherId: string): Promise<PresenceResponse>;
  /** @returns whether anybody here still watches */
  presenceChanged(presence: PresenceResponse): Promise<boolean>;
  ledgerConfirmed(entries: readonly Confirmation[]): Promise<void>;
  /** The last sign of life of a user's device, in Unix ms; 0 for one without a socket. */
  lastSign(deviceId: string): Promise<number>;
  /** Of these devices those that are still to be pushed about the call. */
  pushTargets(callId: string, deviceIds: readonly string[]): Promise<PushTarget[]>;
  /** The provider does not know the token any more. */
  tokenDied(deviceId: string, token: string): Promise<void>;
}
