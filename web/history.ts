import type { Call, Ending, HistoryEntry, Outcome } from "../client/index.ts";

/** The history as it is shown: read page by page, and behind the calls by a moment. Pure. */

export interface Loaded {
  /** Newest first. */
  readonly calls: readonly HistoryEntry[];
  readonly nextCursor: string | null;
}

/** The first page is read again and again: what was paged to beyond it stays. */
export function refreshed(before: Loaded, first: Loaded): Loaded {
  if (first.nextCursor === null) return first;
  const fresh = new Set(first.calls.map(({ id }) => id));
  const oldest = first.calls.at(-1)?.createdAt ?? "";
  // What is newer than that and is not there any more was removed, maybe in another window.
  const beyond = before.calls.filter(({ id, createdAt }) => !fresh.has(id) && createdAt <= oldest);
  if (beyond.length === 0) return first;
  return { calls: [...first.calls, ...beyond], nextCursor: before.nextCursor };
}

export function extended(before: Loaded, next: Loaded): Loaded {
  const added = new Set(next.calls.map(({ id }) => id));
  const kept = before.calls.filter(({ id }) => !added.has(id));
  return { calls: [...kept, ...next.calls], nextCursor: next.nextCursor };
}

/** Calls that the history still takes for live, as they ended in this window. */
export function withEnds(calls: readonly HistoryEntry[], ended: readonly Ended[]): readonly HistoryEntry[] {
  const ends = new Map(ended.map((call) => [call.id, endOf(call)]));
  return calls.map((entry) => (entry.outcome === null ? { ...entry, ...ends.get(entry.id) } : entry));
}

type Ended = Pick<Call, "id" | "phase" | "room">;
type End = Pick<HistoryEntry, "outcome" | "durationSeconds">;

/** Undefined for a call that goes on for others, or may: on another device, or in a group. */
export function endOf({ phase, room }: Ended): End | undefined {
  if (phase.kind !== "ended") return undefined;
  const { ending } = phase;
  if (ending.kind === "over") return { outcome: ending.outcome, durationSeconds: ending.durationSeconds };
  if (ending.kind === "hung_up" && ending.durationSeconds !== null) {
    return room ? undefined : { outcome: "completed", durationSeconds: ending.durationSeconds };
  }
  const outcome = room ? null : unanswered(ending);
  return outcome === null ? undefined : { outcome, durationSeconds: null };
}

function unanswered(ending: Exclude<Ending, { kind: "over" }>): Outcome | null {
  switch (ending.kind) {
    case "hung_up":
      return "cancelled";
    case "declined":
      return "declined";
    case "cancelled":
      return ofCancelled(ending.reason);
    case "ignored":
    case "not_moved":
    case "failed":
      return null;
  }
}

function ofCancelled(reason: Extract<Ending, { kind: "cancelled" }>["reason"]): Outcome | null {
  switch (reason) {
    case "caller_hung_up":
      return "cancelled";
    case "timed_out":
      return "missed";
    case "declined_elsewhere":
      return "declined";
    case "failed":
      return "failed";
    case "answered_elsewhere":
    case "handed_off":
    case "glare_merged":
      return null;
  }
}
