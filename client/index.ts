export type { CallType, CancelReason, EndReason, Outcome } from "../schema/call.ts";
export type {
  BlocksResponse,
  ContactsResponse,
  HistoryEntry,
  HistoryResponse,
  PresenceResponse,
  Settings,
} from "../schema/http.ts";
export type { TrackSource } from "../schema/room.ts";
export { Api, type HistoryPage, request } from "./api.ts";
export { nextRetryDelayMs } from "./backoff.ts";
export type { Call } from "./call.ts";
export type { CallMedia } from "./call-media.ts";
export type { Person } from "./call-options.ts";
export { type CallPhase, type Ending, isAnswered } from "./call-state.ts";
export type { CallElsewhere } from "./elsewhere.ts";
export { type ClientErrorCode, errorCode, SwitchboardError, type SwitchboardErrorCode } from "./errors.ts";
export { claimsOf } from "./jwt.ts";
export type { MediaChoice } from "./media.ts";
export type { Peer, PeerEvents, PeerOptions } from "./peer.ts";
export { browserPlatform, type Platform } from "./platform.ts";
export type { Participant } from "./room/participant.ts";
export type { Room } from "./room/room.ts";
export type { RoomPeer, RoomPeerEvents, RoomPeerOptions } from "./room/room-peer.ts";
export type { VideoSource } from "./room/wants.ts";
export type { Signal } from "./signal.ts";
export type { CloseReason, SocketStatus } from "./socket.ts";
export { type ConnectionStatus, Switchboard, type SwitchboardOptions } from "./switchboard.ts";
