import type { InCallMessage } from "../schema/client-messages.ts";
import type { ServerMessage } from "../schema/server-messages.ts";
import type { Outgoing } from "./commands.ts";
import type { LocalMedia, MediaChoice } from "./media.ts";
import type { Peer, PeerEvents } from "./peer.ts";
import type { RoomPeer, RoomPeerEvents } from "./room/room-peer.ts";
import type { Screen } from "./room/shared-screen.ts";

/** What a call needs of the client that it belongs to. */
export interface CallLink {
  readonly deviceId: string;
  /** Known once the device has registered. */
  readonly userId: string;
  now(): number;
  /** In [0, 1). */
  random(): number;
  /** Sends a command and waits for its reply, over whichever socket is open. */
  request(message: Outgoing, callId: string | null, commandId?: string): Promise<ServerMessage>;
  send(message: Extract<Outgoing, { type: InCallMessage["type"] }>): void;
  /** Opens the call's own socket. */
  attach(callId: string): void;
  /** Whether this device is in another call, or is making one. */
  isEngagedBeside(callId: string | null): boolean;
  /** Its user has hung up: the device is free for a call on hold. */
  freed(): void;
  /** The call is over here, and has said so. */
  release(callId: string | null): void;
  /** Resolves when the server can be reached: sockets on a dead path are replaced. */
  reachable(): Promise<void>;
  openMedia(choice: MediaChoice): Promise<LocalMedia>;
  openMicrophone(microphoneId?: string): Promise<MediaStreamTrack>;
  openCamera(cameraId?: string): Promise<MediaStreamTrack>;
  openScreen(): Promise<Screen>;
  openPeer(isPolite: boolean, events: PeerEvents): Promise<Peer>;
  /** To an SFU, in a group call. */
  openRoomPeer(events: RoomPeerEvents): Promise<RoomPeer>;
}
