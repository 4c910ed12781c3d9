import type { Outcome } from "../../schema/call.ts";
import type { LogEntry } from "../../schema/call-log.ts";
import type { CallEventsResponse } from "../../schema/http.ts";

/** Who asks, and what the call was to them. */
export interface Asker {
  readonly userId: string;
  readonly outcome: Outcome | null;
}

type Shown = CallEventsResponse["events"][number];

/** The log of a call as one of its participants may see it: every revision, but of others no devices. Pure. */
export function logFor(asker: Asker, log: readonly LogEntry[]): Shown[] {
  return log.map((entry) => entryFor(asker, entry));
}

function entryFor(asker: Asker, entry: LogEntry): Shown {
  switch (entry.kind) {
    case "ignored":
    case "busy":
      // What one device of somebody's does says how many they have.
      return isOwn(asker, entry) ? entry : { rev: entry.rev, at: entry.at, kind: "private" };
    case "handoff_started":
    case "handed_off":
    case "handoff_failed": {
      if (isOwn(asker, entry)) return entry;
      const { fromDeviceId, ...rest } = entry;
      return { ...rest, by: { userId: entry.by.userId } };
    }
    case "ended":
      return { ...entry, by: entry.by && actorFor(asker, entry.by), outcome: outcomeFor(asker, entry.outcome) };
    case "missed":
      return entry;
    case "initiated":
    case "invited":
    case "alerting":
    case "answered":
    case "declined":
    case "media":
    case "held":
    case "caller_lost":
    case "caller_back":
    case "left":
      return { ...entry, by: actorFor(asker, entry.by) };
  }
}

type Actor = Extract<LogEntry, { kind: "answered" }>["by"];

function isOwn({ userId }: Asker, { by }: { readonly by: Actor }): boolean {
  return by.userId === userId;
}

function actorFor(asker: Asker, by: Actor): Actor {
  return by.userId === asker.userId ? by : { userId: by.userId };
}

/** Nobody may learn that they were blocked: only to whom the call was blocked is it called so, however it ended. */
function outcomeFor(asker: Asker, outcome: Outcome | null): Outcome | null {
  if (asker.outcome === "blocked") return "blocked";
  return outcome === "blocked" ? "missed" : outcome;
}
