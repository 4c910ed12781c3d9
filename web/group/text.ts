import type { Call, Ending, HistoryEntry } from "../../client/index.ts";
import { endingText } from "../text.ts";

/** What the page says of a group call. Pure. */

/** `Bob`, `Bob and Eve`, `Bob, Eve and 2 others`. */
export function namesText(names: readonly string[]): string {
  const [first = "Somebody", second, third] = names;
  if (second === undefined) return first;
  if (third === undefined) return `${first} and ${second}`;
  return names.length === 3 ? `${first}, ${second} and ${third}` : `${first}, ${second} and ${names.length - 2} others`;
}

/** Those who are in it, or are to be. */
export function groupTitle({ room, person }: Pick<Call, "room" | "person">): string {
  const here = room?.participants.filter(({ state }) => state === "joined" || state === "invited") ?? [];
  const names = new Map(here.map(({ userId, name }) => [userId, name || "Somebody"]));
  return namesText(names.size > 0 ? [...names.values()] : [person.name || "Somebody"]);
}

/** How it ended for this user; null where they know. */
export function groupEndingText(ending: Ending, call: Pick<Call, "direction" | "person">): string | null {
  const isUnanswered = ending.kind === "over" && ending.outcome !== "completed" && ending.outcome !== "failed";
  if (isUnanswered && call.direction === "outgoing" && ending.reason !== "caller_hung_up") return "Nobody answered";
  return endingText(ending, call);
}

/** Somebody came, went, or will not come: as it is read out. */
export function newsText(name: string, before: string | undefined, now: string): string | null {
  if (before === now) return null;
  switch (now) {
    case "joined":
      return `${name} joined`;
    case "left":
      return before === "joined" ? `${name} left` : null;
    case "declined":
      return `${name} declined`;
    case "busy":
      return `${name} is busy`;
    case "missed":
      return `${name} did not answer`;
    default:
      return null;
  }
}

/** The others in a call that is over. */
export function othersOf({ participants }: HistoryEntry, userId: string): HistoryEntry["participants"] {
  return participants.filter((participant) => participant.userId !== userId);
}
