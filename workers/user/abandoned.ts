import { REDELIVER_MS } from "../../schema/limits.ts";
import { committed, without } from "./change.ts";
import type { User } from "./state.ts";

/** Calls that were asked for and given up: their objects may have made them, and are to end them. Pure. */

/** What fails half way leaves nothing behind: the key is free again, and what may ring is on its way out. */
export function initiationLost(user: User, key: string, callId: string, deviceId: string, now: number): User {
  if (user.initiations[key]?.callId !== callId) return user;
  return committed(user, {
    initiations: without(user.initiations, key),
    calls: without(user.calls, callId),
    abandoned: { ...user.abandoned, [callId]: { deviceId, tries: 0, at: now + REDELIVER_MS } },
  });
}

/** It is being tried. The next time is twice as long after: at first a phone may ring, later it is only left behind. */
export function abandonTried(user: User, callId: string, now: number): User {
  const entry = user.abandoned[callId];
  if (!entry) return user;
  const tries = entry.tries + 1;
  const next = { ...entry, tries, at: now + REDELIVER_MS * 2 ** tries };
  return { ...user, abandoned: { ...user.abandoned, [callId]: next } };
}

export function abandonDone(user: User, callId: string): User {
  return callId in user.abandoned ? committed(user, { abandoned: without(user.abandoned, callId) }) : user;
}

/** Those that are to be tried now, each with the device that made the call. */
export function abandonedDue(user: User, now: number): { callId: string; deviceId: string }[] {
  const due = Object.entries(user.abandoned).filter(([, { at }]) => at <= now);
  return due.map(([callId, { deviceId }]) => ({ callId, deviceId }));
}
