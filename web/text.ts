import type {
  Call,
  CancelReason,
  Ending,
  EndReason,
  HistoryEntry,
  Outcome,
  SwitchboardErrorCode,
} from "../client/index.ts";

/** What the page says, as sentences for people. Pure. */

export function errorText(code: SwitchboardErrorCode): string {
  switch (code) {
    case "microphone_denied":
      return "The browser did not let us use the microphone. Allow it in the address bar and try again.";
    case "microphone_missing":
      return "We could not find a microphone. Plug one in and try again.";
    case "camera_denied":
      return "The browser did not let us use the camera, so others cannot see you.";
    case "camera_missing":
      return "We could not find a free camera, so others cannot see you.";
    case "screen_denied":
      return "No screen was chosen, so none is shared.";
    case "offline":
    case "timeout":
    case "closed":
      return "The server cannot be reached. Check your connection and try again.";
    case "rate_limited":
      return "That was a lot of calls. Wait a moment and try again.";
    case "callee_unknown":
    case "call_not_found":
    case "not_found":
      return "That is no longer there.";
    case "unauthorized":
      return "Your sign-in has run out. Sign in again.";
    case "forbidden":
    case "not_in_call":
    case "too_many_participants":
    case "unsupported":
      return "That is not possible right now.";
    case "bad_message":
    case "too_large":
    case "invalid_response":
    case "room_unavailable":
    case "internal":
      return "Something went wrong on our side. Try again.";
  }
}

/** How a call ended, or null where the user knows already. */
export function endingText(ending: Ending, { direction, person }: Pick<Call, "direction" | "person">): string | null {
  const name = person.name ?? "They";
  switch (ending.kind) {
    case "over":
      return overText(ending.outcome, ending.reason, ending.durationSeconds, name, direction);
    case "cancelled":
      return cancelText(ending.reason, name);
    case "hung_up":
      return ending.durationSeconds === null ? "Call cancelled" : endedText(ending.durationSeconds);
    case "declined":
    case "ignored":
      return null;
    case "not_moved":
      return "The call could not be moved and goes on where it was";
    case "failed":
      return errorText(ending.code);
  }
}

function overText(
  outcome: Outcome,
  reason: EndReason,
  durationSeconds: number,
  name: string,
  direction: Call["direction"],
): string {
  switch (outcome) {
    case "completed":
      return endedText(durationSeconds);
    case "missed":
    case "blocked":
      return direction === "outgoing" ? `${name} did not answer` : `Missed call from ${name}`;
    case "declined":
      return direction === "outgoing" ? `${name} declined` : "Call declined";
    case "busy":
      return `${name} is busy`;
    case "cancelled":
      return direction === "outgoing" ? "Call cancelled" : `Missed call from ${name}`;
    case "unreachable":
      return `${name} cannot be reached right now`;
    case "failed":
      return reason === "media_failed" ? "The connection was lost" : "The call could not be connected";
  }
}

function endedText(durationSeconds: number): string {
  return `Call ended after ${duration(durationSeconds)}`;
}

function cancelText(reason: CancelReason, name: string): string | null {
  switch (reason) {
    case "answered_elsewhere":
      return "Answered on another device";
    case "declined_elsewhere":
      return "Declined on another device";
    case "caller_hung_up":
    case "timed_out":
      return `Missed call from ${name}`;
    case "handed_off":
      return "Moved to another device";
    case "failed":
      return "The call could not be connected";
    case "glare_merged":
      return null;
  }
}

/** Whether the user should have been reached and was not. */
export function isMissed({ direction, outcome }: Pick<HistoryEntry, "direction" | "outcome">): boolean {
  return direction === "incoming" && (outcome === "missed" || outcome === "cancelled" || outcome === "unreachable");
}

export function historyText({ direction, outcome, durationSeconds }: HistoryEntry): string {
  const way = direction === "outgoing" ? "Outgoing" : "Incoming";
  switch (outcome) {
    case null:
      return `${way}, in progress`;
    case "completed":
      return `${way}, ${duration(durationSeconds ?? 0)}`;
    case "missed":
    case "blocked":
      return direction === "outgoing" ? "No answer" : "Missed";
    case "cancelled":
      return direction === "outgoing" ? "Cancelled" : "Missed";
    case "declined":
      return direction === "outgoing" ? "Declined" : "You declined";
    case "busy":
      return "Busy";
    case "unreachable":
      return direction === "outgoing" ? "Not reachable" : "Missed";
    case "failed":
      return "Could not connect";
  }
}

/** `42 s`, `3 min 5 s`, `1 h 2 min`. */
export function duration(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `0:42`, `12:05`, `1:02:03`. */
export function clock(seconds: number): string {
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (n: number) => String(n).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** When something was, as short as it can be said on the same day, in the same week, or before. */
export function moment(iso: string, now: number, locale?: string): string {
  const at = new Date(iso);
  const today = new Date(now);
  const days = Math.round((midnight(today) - midnight(at)) / 86_400_000);
  if (days <= 0) return at.toLocaleTimeString(locale, { hour: "numeric", minute: "2-digit" });
  if (days === 1) return "Yesterday";
  if (days < 7) return at.toLocaleDateString(locale, { weekday: "long" });
  const year = at.getFullYear() === today.getFullYear() ? {} : ({ year: "numeric" } as const);
  return at.toLocaleDateString(locale, { day: "numeric", month: "short", ...year });
}

function midnight(date: Date): number {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}

/** At most two letters: of the first and the last word. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  const letters = words.length > 1 ? [words.at(0), words.at(-1)] : [words.at(0)];
  return letters
    .map((word) => [...(word ?? "")][0] ?? "")
    .join("")
    .toUpperCase();
}

export function lastSeenText(lastSeen: string | null, now: number): string {
  if (lastSeen === null) return "Not here yet";
  const minutes = Math.floor((now - Date.parse(lastSeen)) / 60_000);
  if (minutes < 1) return "Here a moment ago";
  if (minutes < 60) return `Here ${minutes} min ago`;
  return `Last here ${minutes < 1_440 ? "at " : ""}${moment(lastSeen, now)}`;
}
