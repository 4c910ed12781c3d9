import type { CallType } from "../../schema/call.ts";
import type { DeviceType, PushToken } from "../../schema/client-messages.ts";
import type { DeviceEvent, UserEvent } from "../../schema/ledger.ts";
import type { CallView } from "../call/state.ts";

/** What a UserObject keeps. One row, written whole; times are Unix ms. */

export interface Profile {
  readonly name: string;
  readonly avatarUrl: string | null;
}

export interface Device {
  readonly deviceType: DeviceType;
  readonly deviceName: string | null;
  readonly push: PushToken | null;
  /** Since when it has a socket; null while it has none. */
  readonly connectedAt: number | null;
  readonly lastSeen: number | null;
}

export interface Initiation {
  readonly callId: string;
  readonly calleeIds: readonly string[];
  readonly callType: CallType;
  readonly at: number;
}

export interface User {
  readonly userId: string;
  /** Grows by one with every written change, and only then. */
  readonly rev: number;
  readonly profile: Profile | null;
  readonly devices: Readonly<Record<string, Device>>;
  /** The calls that the user started within the last minutes, by idempotency key. */
  readonly initiations: Readonly<Record<string, Initiation>>;
  /**
   * Calls that the user may be in; null for one whose object has not been heard of. The call is the
   * truth: an entry of a call that is over costs one question, taking it out at once would cost a row.
   */
  readonly calls: Readonly<Record<string, CallView | null>>;
  /** Users who are told of this one's presence, and until when without asking them again. */
  readonly watchers: Readonly<Record<string, number>>;
  readonly lastSeen: number | null;
  /** What the ledger has not confirmed, by outbox key. */
  readonly outbox: Readonly<Record<string, UserEvent | DeviceEvent>>;
  readonly outboxToldAt: number;
  readonly sweptAt: number;
}
