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
export const MAX_WATCHED = 100;
/** Who watches a user stands in the user's row; more than these learn presence only when they ask. */
export const MAX_WATCHERS = 500;

export const MAX_SDP = 64 * 1024;
/** One WebSocket text frame: an SDP with every character escaped still fits twice. */
export const MAX_FRAME = 256 * 1024;
export const MAX_HTTP_BODY = 64 * 1024;
export const MAX_CANDIDATE = 1_024;
/** Candidates of one device kept for a peer that has not answered, and recognised when repeated. */
export const MAX_CANDIDATES = 64;
export const CANDIDATE_KEPT_MS = 60_000;
export const MAX_DEVICES = 32;
export const MAX_CALLEES = 31;
export const MAX_NAME = 100;
export const MAX_URL = 500;
export const MAX_PUSH_TOKEN = 500;
/** With no device to ring and none that comes, the caller is told after this long, not after the whole ring. */
export const UNREACHABLE_MS = 4_000;
/** After a failed delivery to an object, the next try. Longer leaves a phone ringing. */
export const REDELIVER_MS = 1_000;
