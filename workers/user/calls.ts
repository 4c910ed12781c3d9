import { MAX_ENDED, MAX_RINGING, OUTCOME_KEPT_MS } from "../../schema/limits.ts";
import type { CallView } from "../call/state.ts";
import { rings } from "../call/told.ts";
import { committed, without } from "./change.ts";
import type { EndedCall, User } from "./state.ts";

/** The calls that a user may be in, and those that are over. Pure. */

/** What came later was heard before. */
export function isOld(user: User, { callId, rev }: CallView): boolean {
  const heard = user.calls[callId] ?? user.ended[callId]?.view;
  return heard !== undefined && heard.rev > rev;
}

/**
 * Being rung is written, for a device that comes late must learn of it; the rest is remembered. Somebody may come after
 * all to a call that was over for them.
 */
export function callChanged(user: User, view: CallView, now: number): User {
  if (isOld(user, view)) return user;
  if (view.state === "ended") {
    const ended = withEnded(user, view, now);
    return { ...user, calls: without(user.calls, view.callId), pushed: without(user.pushed, view.callId), ended };
  }
  const calls = { ...user.calls, [view.callId]: view };
  const change = { calls, ended: without(user.ended, view.callId) };
  return user.calls[view.callId] === undefined ? committed(user, change) : { ...user, ...change };
}

/** Without what was only of use while it lasted; the oldest make room. */
function withEnded(user: User, { offer: _, answerSdp: __, ...view }: CallView, now: number): User["ended"] {
  const recent = Object.entries(user.ended).filter(
    ([callId, { view: other }]) => callId !== view.callId && now - (other.ended?.at ?? 0) < OUTCOME_KEPT_MS,
  );
  const entry: EndedCall = { seq: user.rev, view: { ...view, offer: null, answerSdp: null } };
  return Object.fromEntries([...recent.slice(1 - MAX_ENDED), [view.callId, entry]]);
}

/** How the calls ended of which a device does not know that was last here at revision `since`. */
export function endedSince(user: User, since: number | undefined): CallView[] {
  if (since === undefined) return [];
  return Object.values(user.ended).flatMap(({ seq, view }) => (seq >= since ? [view] : []));
}

/** The calls with which the user is ringing somebody, by what was asked for: their objects may not have been heard of. */
export function outgoingTo(user: User, calleeId: string): string[] {
  const initiations = Object.values(user.initiations).filter(
    ({ callId, callType, calleeIds }) => callId in user.calls && callType !== "group" && calleeIds[0] === calleeId,
  );
  return initiations.flatMap(({ callId }) => (mayRing(user.calls[callId]) ? [callId] : []));
}

/** Where somebody turns their calls away, the two calls do not know of each other. */
function mayRing(view: CallView | null | undefined): boolean {
  return !view || (rings(view.state) && view.mayMerge);
}

/** Two calls in opposite directions. */
export interface Crossing {
  readonly ours: string;
  readonly theirs: CallView;
}

export function crossings(user: User, now: number): Crossing[] {
  const theirs = Object.values(user.calls).flatMap((view) => (view && isRinging(view, now) ? [view] : []));
  return theirs.flatMap((view) => outgoingTo(user, view.caller.userId).map((ours) => ({ ours, theirs: view })));
}

/** The call with the higher id gives way; where it is theirs, they see to it. */
export function isOursToGive({ ours, theirs }: Crossing): boolean {
  return theirs.callId < ours;
}

function isRinging(view: CallView, now: number): boolean {
  return view.callType !== "group" && isRung(view, now);
}

function isRung(view: CallView, now: number): boolean {
  return view.role === "callee" && rings(view.state) && now < view.ringUntil;
}

/** So many call the user at once that nobody can mean it. */
export function isOverrun(user: User, now: number): boolean {
  const rung = Object.values(user.calls).filter((view) => view && isRung(view, now));
  return rung.length >= MAX_RINGING;
}
