import type { CallType } from "../../schema/call.ts";
import type { DeviceType } from "../../schema/client-messages.ts";
import type { DeviceEvent, UserEvent } from "../../schema/ledger.ts";
import type { PushToken } from "../../schema/push-token.ts";
import type { CallView } from "../call/state.ts";
import type { InitiationBuckets } from "./rates.ts";

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
  /** It neither rings nor is it pushed. */
  readonly doNotDisturb: boolean;
  /** Its push token died while it had no socket: nothing reaches it until it comes back by itself. */
  readonly isDead: boolean;
}

export interface Initiation {
  readonly callId: string;
  readonly calleeIds: readonly string[];
  readonly callType: CallType;
  readonly at: number;
}

export interface Abandoned {
  /** With which it was made. */
  readonly deviceId: string;
  readonly tries: number;
  /** When it is tried again. */
  readonly at: number;
}

export interface EndedCall {
  readonly seq: number;
  readonly view: CallView;
}

export interface User {
  readonly userId: string;
  /** Grows by one with every written change, and only then. */
  readonly rev: number;
  readonly profile: Profile | null;
  readonly devices: Readonly<Record<string, Device>>;
  /** How often they have started calls lately. */
  readonly rates: InitiationBuckets;
  /** The calls that the user started within the last minutes, by idempotency key. */
  readonly initiations: Readonly<Record<string, Initiation>>;
  /**
   * Calls that the user may be in; null for one whose object has not been heard of. The call is the
   * truth: an entry of a call that is over costs one question, taking it out at once would cost a row.
   */
  readonly calls: Readonly<Record<string, CallView | null>>;
  /** Calls that are over, for devices that come back: as of which revision, and how they ended. */
  readonly ended: Readonly<Record<string, EndedCall>>;
  /** Calls whose making failed half way, until their objects have heard that nobody wants them. */
  readonly abandoned: Readonly<Record<string, Abandoned>>;
  /** Of each call the devices that were pushed, which are to be told how it ended. */
  readonly pushed: Readonly<Record<string, readonly string[]>>;
  /** Users who are told of this one's presence, and until when without asking them again. */
  readonly watchers: Readonly<Record<string, number>>;
  readonly lastSeen: number | null;
  /** What the ledger has not confirmed, by outbox key. */
  readonly outbox: Readonly<Record<string, UserEvent | DeviceEvent>>;
  /** When the ledger was told all of it, or since when the first of it waits. */
  readonly outboxToldAt: number;
  readonly sweptAt: number;
}
