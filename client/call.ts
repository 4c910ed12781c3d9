import type { CallType } from "../schema/call.ts";
import type { CallMedia } from "./call-media.ts";
import type { Person } from "./call-options.ts";
import type { CallPhase } from "./call-state.ts";
import type { MediaChoice } from "./media.ts";
import type { Room } from "./room/room.ts";
import type { Signal } from "./signal.ts";

/** One call, as this device takes part in it: between two people, or with more of them in a room. */
export interface Call {
  /** Unique on this device from the start; `id` is the server's, comes later, and changes when two calls cross. */
  readonly key: string;
  /** Known once the server has taken the call. */
  readonly id: string | null;
  readonly direction: "outgoing" | "incoming";
  readonly callType: CallType;
  /** The other one; in a group the caller, or the first who was called. */
  readonly person: Person;
  /** All who were called by this device. */
  readonly people: readonly Person[];
  readonly phase: CallPhase;
  /** Something that a page shows has changed. */
  readonly changed: Signal<Call>;
  /** This device's microphone and camera, and the connection to the other one. */
  readonly media: CallMedia;
  /** The people of a group call and their media; null while the call is one between two. */
  readonly room: Room | null;
  /** It rings while this device is in another call: see `endAndAccept` and `holdAndAccept` of the Switchboard. */
  readonly isWaiting: boolean;
  /** This user has put it on hold. */
  readonly isOnHold: boolean;
  /** The other one has put it on hold. */
  readonly heldByPeer: boolean;

  /** Tells that this device really rings: only then does the caller hear ringing. */
  alerting(): void;

  /**
   * Takes an incoming call. The call rings on when the microphone cannot be opened.
   * @throws SwitchboardError `microphone_denied` or `microphone_missing`, or what the server answered
   */
  answer(choice: MediaChoice): Promise<void>;

  /** Stops the ringing on all of the user's devices. */
  decline(): void;

  /** Silences this device only; the caller hears no difference. */
  ignore(): void;

  /** Leaves the call. If this device talked in it, it goes on with the call that was put on hold last. */
  hangUp(): void;

  /**
   * Calls more people into an answered call, which so becomes a group call; its media moves into a room by itself.
   * @throws SwitchboardError `too_many_participants`, or what else the server answered
   */
  invite(people: readonly Person[]): Promise<void>;

  /** Puts an answered call on hold, or takes it off: nothing is sent, heard or seen, and the other one knows. */
  hold(isOn: boolean): Promise<void>;

  /**
   * Asks another device of the user's, which is idle, to take the call over. It stays here until it does.
   * @throws SwitchboardError what the server answered
   */
  moveTo(deviceId: string): Promise<void>;
}
