import type { CallSnapshot, CancelReason, EndReason, Outcome } from "../schema/call.ts";
import type { DeviceRef } from "../schema/ids.ts";
import type { ServerMessage } from "../schema/server-messages.ts";
import type { SwitchboardErrorCode } from "./errors.ts";

/** A call as one device lives it. Pure: what was heard and when are arguments. */

export type Ending =
  /** The call is over for everybody; the outcome is what history says. */
  | { readonly kind: "over"; readonly outcome: Outcome; readonly reason: EndReason; readonly durationSeconds: number }
  /** This device stopped ringing. */
  | { readonly kind: "cancelled"; readonly reason: CancelReason; readonly byDevice: string | null }
  /** This device's user pressed the button. */
  | { readonly kind: "declined" }
  | { readonly kind: "ignored" }
  /** How long the two had talked, by this device's clock; null if nobody had answered. */
  | { readonly kind: "hung_up"; readonly durationSeconds: number | null }
  /** This device was to take the call over, and did not: it goes on where it was. */
  | { readonly kind: "not_moved" }
  /** It did not come to a call, or this device lost track of it. */
  | { readonly kind: "failed"; readonly code: SwitchboardErrorCode };

export type CallPhase =
  /** Outgoing: the microphone, the offer and the server's reply are awaited. */
  | { readonly kind: "initiating" }
  /** Outgoing: no device has said yet that it alerts its user. */
  | { readonly kind: "reaching" }
  | { readonly kind: "ringing" }
  /** Incoming: rings here. */
  | { readonly kind: "incoming" }
  | { readonly kind: "answering" }
  /** On its way to this device from another one of its user's, which keeps it until media flows here. */
  | { readonly kind: "moving"; readonly since: number }
  /** Answered at `since` (Unix ms by this device's clock); media is on its way. */
  | { readonly kind: "connecting"; readonly since: number }
  | { readonly kind: "connected"; readonly since: number }
  | { readonly kind: "reconnecting"; readonly since: number }
  | { readonly kind: "ended"; readonly ending: Ending };

export type CallEvent =
  | { readonly type: "heard"; readonly message: ServerMessage; readonly at: number }
  | { readonly type: "answering" }
  | { readonly type: "answer_failed" }
  | { readonly type: "media"; readonly state: "connected" | "recovering" }
  | { readonly type: "ended"; readonly ending: Ending };

export interface Self {
  /** Who answers: of two calls that crossed, the one that gave way is answered by the device that made it. */
  readonly direction: "outgoing" | "incoming";
  readonly deviceId: string;
  /** The user whose device this is. */
  readonly userId: string;
}

/** Every event may come twice or late: the phase only ever advances, and an ended call stays so. */
export function reduce(phase: CallPhase, event: CallEvent, self: Self): CallPhase {
  if (phase.kind === "ended") return phase;
  switch (event.type) {
    case "heard":
      return hear(phase, event.message, event.at, self);
    case "answering":
      return phase.kind === "incoming" ? { kind: "answering" } : phase;
    case "answer_failed":
      return phase.kind === "answering" ? { kind: "incoming" } : phase;
    case "media":
      return media(phase, event.state);
    case "ended":
      return { kind: "ended", ending: event.ending };
  }
}

export function isAnswered(
  phase: CallPhase,
): phase is Extract<CallPhase, { kind: "connecting" | "connected" | "reconnecting" }> {
  return phase.kind === "connecting" || phase.kind === "connected" || phase.kind === "reconnecting";
}

function hear(phase: CallPhase, message: ServerMessage, at: number, self: Self): CallPhase {
  switch (message.type) {
    case "call_initiated":
      return phase.kind === "initiating" ? { kind: message.state === "ringing" ? "ringing" : "reaching" } : phase;
    case "call_ringing":
      return alerting(phase);
    case "call_connected":
    case "already_answered":
      return answered(phase, message.answeredBy, at, self);
    case "call_cancelled":
      return cancelled(phase, message.reason, message.byDevice ?? null);
    case "call_ended":
      return over(phase, message, self);
    case "call_state":
      return snapshot(phase, message, at, self);
    case "call_not_found":
      return { kind: "ended", ending: { kind: "failed", code: "call_not_found" } };
    case "error":
      return message.code === "call_not_found"
        ? { kind: "ended", ending: { kind: "failed", code: message.code } }
        : phase;
    case "call_handed_off":
      return handedOff(phase, message, self);
    case "call_handoff_failed":
      return handoffFailed(phase, message.deviceId, self);
    case "recover":
      return message.action === "leave" ? left(phase) : phase;
    case "incoming_call":
    case "call_waiting":
    case "call_declined":
    case "call_held":
    case "call_handoff_ready":
    case "call_elsewhere":
    case "call_merged":
    case "participant_joined":
    case "participant_left":
    case "participant_updated":
    case "room_joined":
    case "renegotiate":
    case "renegotiate_answer":
    case "dominant_speaker_changed":
    case "video_wanted":
    case "room_moved":
    case "room_pairing":
    case "room_pairing_failed":
    case "room_closed":
    case "ice_candidate":
    case "call_negotiate":
    case "registered":
    case "token_refreshed":
    case "presence":
      return phase;
  }
}

function alerting(phase: CallPhase): CallPhase {
  return phase.kind === "initiating" || phase.kind === "reaching" ? { kind: "ringing" } : phase;
}

const NOT_MOVED: CallPhase = { kind: "ended", ending: { kind: "not_moved" } };

/** The other one's devices are their own affair; of this user's, exactly one has the call. */
function handedOff(phase: CallPhase, { userId, deviceId }: DeviceRef, self: Self): CallPhase {
  if (userId !== self.userId) return phase;
  if (deviceId === self.deviceId) return phase.kind === "moving" ? { ...phase, kind: "connecting" } : phase;
  if (phase.kind === "moving") return NOT_MOVED;
  return isAnswered(phase) ? movedAway(deviceId) : phase;
}

function handoffFailed(phase: CallPhase, deviceId: string, self: Self): CallPhase {
  return phase.kind === "moving" && deviceId === self.deviceId ? NOT_MOVED : phase;
}

function movedAway(byDevice: string | null): CallPhase {
  return { kind: "ended", ending: { kind: "cancelled", reason: "handed_off", byDevice } };
}

/** Told after a gap: the end of a call that is over comes with its snapshot, so this one is on another device. */
function left(phase: CallPhase): CallPhase {
  return isAnswered(phase) ? movedAway(null) : phase;
}

function answered(phase: CallPhase, by: DeviceRef, at: number, self: Self): CallPhase {
  if (isAnswered(phase) || phase.kind === "moving") return phase;
  if (self.direction === "outgoing" || by.deviceId === self.deviceId) return { kind: "connecting", since: at };
  return elsewhere(by);
}

function elsewhere(by: DeviceRef): CallPhase {
  return { kind: "ended", ending: { kind: "cancelled", reason: "answered_elsewhere", byDevice: by.deviceId } };
}

function cancelled(phase: CallPhase, reason: CancelReason, byDevice: string | null): CallPhase {
  // It stops a ringing device; one that has the call is only stopped by a handoff.
  if (isAnswered(phase) && reason !== "handed_off") return phase;
  return { kind: "ended", ending: { kind: "cancelled", reason, byDevice } };
}

interface Over {
  readonly outcome: Outcome;
  readonly reason: EndReason;
  readonly durationSeconds: number;
}

/** A device that rang and learns late of the end was told to stop, as far as its user is concerned. */
function over(phase: CallPhase, { outcome, reason, durationSeconds }: Over, self: Self): CallPhase {
  const rang = self.direction === "incoming" && !isAnswered(phase) && phase.kind !== "moving";
  if (rang && outcome === "completed") {
    return { kind: "ended", ending: { kind: "cancelled", reason: "answered_elsewhere", byDevice: null } };
  }
  return { kind: "ended", ending: { kind: "over", outcome, reason, durationSeconds } };
}

function snapshot(phase: CallPhase, call: CallSnapshot, at: number, self: Self): CallPhase {
  switch (call.state) {
    case "reaching":
      return phase.kind === "initiating" ? { kind: "reaching" } : phase;
    case "ringing":
      return alerting(phase);
    case "connecting":
    case "connected":
    case "reconnecting":
      if (phase.kind === "moving") return here(phase, call, self);
      return call.answeredBy ? answered(phase, call.answeredBy, at, self) : phase;
    case "ended": {
      const { outcome = "failed", reason = "inactive", durationSeconds = 0 } = call;
      return over(phase, { outcome, reason, durationSeconds }, self);
    }
  }
}

/** Whether the call has come to this device meanwhile. */
function here(phase: Extract<CallPhase, { kind: "moving" }>, { participants }: CallSnapshot, self: Self): CallPhase {
  const own = participants.find(({ userId }) => userId === self.userId);
  return own?.deviceId === self.deviceId ? { ...phase, kind: "connecting" } : phase;
}

/** The media's own state is nearer than what the server says of it. */
function media(phase: CallPhase, state: "connected" | "recovering"): CallPhase {
  if (!isAnswered(phase)) return phase;
  if (state === "connected") return phase.kind === "connected" ? phase : { kind: "connected", since: phase.since };
  return phase.kind === "connected" ? { kind: "reconnecting", since: phase.since } : phase;
}
