import { RING_MS } from "../../schema/limits.ts";
import type { CallView } from "../call/state.ts";
import { rings } from "../call/told.ts";
import type { User } from "./state.ts";

/** Calls in the user's row that may be over: that they ended was only remembered, and an eviction forgets it. Pure. */

/** More of them are asked what has become of them: a user who is never here to ask would have a row without end. */
export const MAX_STALE = 8;

/** Those that by their own account ring no more, and of which nothing else has been heard. */
export function staleCalls(user: User, now: number): string[] {
  return Object.entries(user.calls).flatMap(([callId, view]) => (isStale(user, callId, view, now) ? [callId] : []));
}

function isStale(user: User, callId: string, view: CallView | null, now: number): boolean {
  if (view) return rings(view.state) && now >= view.ringUntil;
  const asked = Object.values(user.initiations).find((initiation) => initiation.callId === callId);
  return !asked || now >= asked.at + RING_MS;
}
