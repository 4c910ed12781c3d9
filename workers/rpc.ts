import type { InCallMessage } from "../schema/client-messages.ts";
import type { Refusal } from "../schema/errors.ts";
import type { PresenceResponse } from "../schema/http.ts";
import type { DeviceRef } from "../schema/ids.ts";
import type { ServerMessage } from "../schema/server-messages.ts";
import type { Create, Speaker } from "./call/call.ts";
import type { CallView } from "./call/state.ts";

/** What objects ask of each other. Each call is one billed request; each may come twice. */

export type Created =
  | { readonly ok: true; readonly view: CallView }
  | { readonly ok: false; readonly refusal: Refusal };

/** How a user's object took a changed call: with the devices that it rang. */
export interface Taken {
  readonly known: boolean;
  readonly name: string | null;
  readonly devices: readonly string[];
}

export interface CallRpc {
  create(input: Create): Promise<Created>;
  /** The caller's object gave up on a call whose creation it has not seen through. */
  abandon(from: DeviceRef): Promise<void>;
  /** @returns what the device hears on its user socket; empty when it has a call socket */
  command(from: Speaker, message: InCallMessage): Promise<ServerMessage[]>;
  /** The call as the user may see it; a device that came late becomes one that is rung. */
  attend(device: DeviceRef): Promise<CallView | null>;
  ledgerConfirmed(rev: number): Promise<void>;
}

export interface Confirmation {
  readonly key: string;
  readonly rev: number;
}

export interface UserRpc {
  callChanged(view: CallView): Promise<Taken>;
  deliver(deviceId: string, messages: ServerMessage[]): Promise<void>;
  presence(): Promise<PresenceResponse>;
  /** @returns the presence now; changes follow through `presenceChanged` */
  watch(watcherId: string): Promise<PresenceResponse>;
  /** @returns whether anybody here still watches */
  presenceChanged(presence: PresenceResponse): Promise<boolean>;
  ledgerConfirmed(entries: readonly Confirmation[]): Promise<void>;
  /** The last sign of life of a user's device, in Unix ms; 0 if there was none. */
  lastSign(deviceId: string): Promise<number>;
}
