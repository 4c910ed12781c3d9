import type { EndReason, Outcome } from "../../schema/call.ts";
import type { LogEntry } from "../../schema/call-log.ts";
import type { PrivateEntry } from "../../schema/http.ts";

type Entry<Kind extends LogEntry["kind"]> = Extract<LogEntry, { kind: Kind }>;

/** What a call came to, as its log tells it. */
export interface Result {
  /** Null while the call goes on, and for one that was merged into another. */
  readonly outcome: Outcome | null;
  /** Who answered first. */
  readonly answeredBy: Entry<"answered">["by"] | null;
  /** ISO 8601 */
  readonly connectedAt: string | null;
  readonly endedAt: string | null;
  /** From the first answer to the end; null for a call that was not answered, or goes on. */
  readonly durationSeconds: number | null;
}

/** Pure. Takes the log as the CallObject wrote it, and as a participant is shown it. */
export function outcomeOf(log: readonly (LogEntry | PrivateEntry)[]): Result {
  const answered = log.find((entry) => entry.kind === "answered");
  const ended = log.find((entry) => entry.kind === "ended");
  return {
    outcome: ended ? endOf(ended, answered !== undefined) : null,
    answeredBy: answered?.by ?? null,
    connectedAt: answered?.at ?? null,
    endedAt: ended?.at ?? null,
    durationSeconds: ended && answered ? secondsBetween(answered.at, ended.at) : null,
  };
}

function endOf({ reason, outcome }: Entry<"ended">, isAnswered: boolean): Outcome | null {
  if (reason === "glare_merged") return null;
  if (isAnswered) return isFailure(reason) ? "failed" : "completed";
  // Both ring out, and nothing that happened before may tell one from the other.
  return outcome === "blocked" ? "blocked" : unanswered(reason);
}

function isFailure(reason: EndReason): boolean {
  return reason === "media_timeout" || reason === "media_failed";
}

/** What the reasons make of a call that nobody has answered. */
function unanswered(reason: EndReason): Outcome | null {
  switch (reason) {
    case "declined":
    case "busy":
    case "unreachable":
      return reason;
    case "timed_out":
      return "missed";
    case "caller_hung_up":
    case "caller_lost":
      return "cancelled";
    case "glare_merged":
    case "hung_up":
    case "media_timeout":
    case "media_failed":
    case "inactive":
      return null;
  }
}

function secondsBetween(from: string, to: string): number {
  return Math.max(0, Math.round((Date.parse(to) - Date.parse(from)) / 1000));
}
