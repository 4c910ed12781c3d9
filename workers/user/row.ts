import type { CallView } from "../call/state.ts";
import type { User } from "./state.ts";
import { newUser } from "./user.ts";

/** A user as their row holds them: one value, of 2 MB at most. Pure. */

/** A row that an earlier version wrote lacks what came later. */
export function loaded(userId: string, row: User | undefined): User {
  return { ...newUser(userId), ...row };
}

/**
 * Descriptions stay in memory, and with the calls, which whoever needs one after an eviction asks anyway: those of 20
 * calls that ring at once would not fit.
 */
export function stored(user: User): User {
  const calls = Object.entries(user.calls).map(([callId, view]) => [callId, view && withoutDescriptions(view)]);
  const ended = Object.entries(user.ended).map(([callId, entry]) => [
    callId,
    { ...entry, view: withoutDescriptions(entry.view) },
  ]);
  return { ...user, calls: Object.fromEntries(calls), ended: Object.fromEntries(ended) };
}

function withoutDescriptions(view: CallView): CallView {
  const { ended } = view;
  const mergedInto = ended?.mergedInto && { ...ended.mergedInto, sdp: null };
  return { ...view, offer: null, answerSdp: null, ended: ended && { ...ended, mergedInto: mergedInto ?? null } };
}
