/**
 * Every time limit and size of the protocol, in one place. Times in ms, sizes in characters
 * unless the name says otherwise. Each says what a larger value would cost.
 */

/** How long a call rings. Longer only makes callers wait for people who are not there. */
export const RING_MS = 30_000;
/** From the answer to media. Longer leaves two people saying hello into silence. */
export const CONNECT_MS = 15_000;
/** A live call without any sign of life is closed. Longer keeps ghosts in the history as ongoing. */
export const BACKSTOP_MS = 30 * 60_000;
/** How long an ended call still answers late devices with its outcome. Longer stores rows nobody asks for. */
export const OUTCOME_KEPT_MS = 24 * 3_600_000;
/** How long a repeated `call_initiate` is recognised. Longer grows the caller's row. */
export const IDEMPOTENCY_MS = 5 * 60_000;
/** A device connecting with less than this left of the ring is not rung: nobody can react in time. */
export const LATE_RING_MIN_MS = 3_000;

/** Clients send the text frame `ping` this often. Shorter costs battery, longer delays presence. */
export const HEARTBEAT_MS = 20_000;
/** A user without a sign of life for this long is offline: three missed heartbeats. */
export const PRESENCE_MS = 60_000;
/** How often a watched user's sockets are swept. Each sweep is an alarm: one request, one row. */
export const PRESENCE_SWEEP_MS = 30_000;
/** After this long a user asks whether its watchers still care. */
export const WATCH_MS = 10 * 60_000;
/** How long the calling device may be without a socket while the call rings. SDKs are back within 5 s. */
export const CALLER_GRACE_MS = 10_000;
/** From the offer of a handoff to its media. Longer keeps two connections open for nothing. */
export const HANDOFF_MS = 10_000;
/** A device with a socket that has not alerted after this long is pushed too: its app may be frozen. */
export const PUSH_AFTER_MS = 1_000;
/** How long a token that is pushed with a call is good for after the ring. It must last for the talk. */
export const CALL_TOKEN_MS = 3_600_000;
/** From the opening of a user socket to `register`. Longer keeps sockets of nobody open, and their object awake. */
export const REGISTER_MS = 10_000;
/** From the expiry of a socket's token to its closing. */
export const TOKEN_NOTICE_MS = 60_000;

/** Messages a second on one socket, and for how many seconds on end, before it is closed. */
export const FLOOD_RATE = 100;
export const FLOOD_SECONDS = 3;
/** Ended calls of which a user's returning devices are told. Longer makes the user's row larger. */
export const MAX_ENDED = 50;
/** Calls that ring a user at a time; each stands in their row. Nobody can choose among more. */
export const MAX_RINGING = 32;
/** People in one call. */
export const MAX_PARTICIPANTS = 32;
/** Blocked users, and contacts, of one user: each list is one row. */
export const MAX_LISTED = 1_000;
/** Of an event list that the ledger has not confirmed: beyond it, it is told before the end. */
export const MAX_LOG = 100;
export const MAX_TOKEN = 8 * 1024;
export const MAX_WATCHED = 100;
/** Who watches a user stands in the user's row; more than these learn presence only when they ask. */
export const MAX_WATCHERS = 500;

export const MAX_SDP = 64 * 1024;
/** A room of 32 in which everybody sends a camera, a microphone and some a screen, as the SFU describes it. */
export const MAX_ROOM_SDP = 256 * 1024;
/** One WebSocket text frame: an SDP with every line end escaped still fits. */
export const MAX_FRAME = 320 * 1024;
export const MAX_HTTP_BODY = 64 * 1024;
export const MAX_CANDIDATE = 1_024;
/** Candidates of one device kept for a peer that has not answered, and recognised when repeated. */
export const MAX_CANDIDATES = 64;
/** In characters, of one message of candidates: some fifty of them. */
export const MAX_CANDIDATES_FRAME = 8 * 1024;
export const CANDIDATE_KEPT_MS = 60_000;
/** In JSON, of what is held for a device without a socket: two connections' descriptions. A row holds 2 MB. */
export const MAX_HELD_SIZE = 4 * MAX_SDP;
export const MAX_DEVICES = 32;
/** User sockets of one user that have not registered yet: after a deploy all devices come back at once. */
export const MAX_UNREGISTERED = MAX_DEVICES;
export const MAX_CALLEES = MAX_PARTICIPANTS - 1;
export const MAX_NAME = 100;
export const MAX_URL = 500;
/**
 * Registration tokens of FCM have no promised length but that of a cookie; endpoints of Web Push have some 200
 * characters in Chrome and Safari, and 400 to more than 500 in Edge. Larger ones would make the user's row larger, 32 times.
 */
export const MAX_PUSH_TOKEN = 4_096;
/** With no device to ring and none that comes, the caller is told after this long, not after the whole ring. */
export const UNREACHABLE_MS = 4_000;
/** After a failed delivery to an object, the next try. Longer leaves a phone ringing. */
export const REDELIVER_MS = 1_000;

/** How long a node has to dial a room that it was asked to open; then another one is. Longer leaves a call silent. */
export const ROOM_OPEN_MS = 2_000;
/** How long a node is looked for while people wait; then they are told that there is none. */
export const ROOM_SEEK_MS = 8_000;
/** People in a call without a room: how often it is looked for again, more and more rarely, and how long. */
export const ROOM_RETRY_MS = 1_000;
export const ROOM_RETRY_SLOWEST_MS = 15_000;
export const ROOM_RETRIES_MS = 60_000;
/** After a restart of the edge, which closes all sockets, a node has this long to dial again. Longer lengthens a dead node's silence. */
export const ROOM_REATTACH_MS = 5_000;
/** How long a node that wants to stop serves a room beside the new one. Longer delays its stop by those who do not move. */
export const ROOM_MOVE_MS = 10_000;
/** From the last answer in the new room to the end of the old one: ICE and DTLS take a few round trips. */
export const ROOM_OVERLAP_MS = 2_000;
/** How long two who are left in a room have to connect with each other; the room goes on beside that. */
export const PAIRING_MS = 15_000;
/** A further node of a room has to bring somebody nearer by so much: what comes through two nodes takes longer than through one. */
export const ROOM_SPAN_GAIN_MS = 50;
/** Where there was no further node for a room, the next one who comes makes it ask again only after this long. */
export const ROOM_UNREACHED_MS = 10_000;
/** In characters, of the offers that wait for a node. A row holds 2 MB. */
export const MAX_WAITING_SDP = 1_000_000;
