import { CANDIDATE_KEPT_MS, MAX_CANDIDATES, MAX_HELD_SIZE } from "../../schema/limits.ts";
import type { ServerMessageOf } from "../../schema/server-messages.ts";

/** What has been said to a device of a call that has no socket at the moment, in the order in which it was said. Pure. */

export type Candidates = ServerMessageOf<"ice_candidate">;
export type Description = ServerMessageOf<"call_negotiate">;

export interface Parcel {
  readonly message: Candidates | Description;
  readonly at: number;
}

/** The newest is kept; what is too old, or too much in all, goes first. */
export function hold(held: readonly Parcel[], message: Parcel["message"], now: number): Parcel[] {
  const before = fresh(held, now);
  const after =
    message.type === "call_negotiate" ? withDescription(before, message, now) : withCandidates(before, message, now);
  while (JSON.stringify(after).length > MAX_HELD_SIZE) after.shift();
  return after;
}

export function fresh(held: readonly Parcel[], now: number): Parcel[] {
  return held.filter(({ at }) => now - at < CANDIDATE_KEPT_MS);
}

/**
 * One that has been replaced would only be refused, and its candidates with it. An answer and an offer after it are
 * both needed: who waits for the answer does not take the offer.
 */
function withDescription(held: readonly Parcel[], message: Description, at: number): Parcel[] {
  let isReplaced = false;
  const kept = held.filter(({ message: earlier }) => {
    if (!isOfSameDevice(earlier, message)) return true;
    if (earlier.type === "call_negotiate") isReplaced = message.sdpType === "answer" || earlier.sdpType === "offer";
    return !isReplaced;
  });
  return [...kept, { message, at }];
}

/** Of each generation, which begins with a description (RFC 8445, section 9), as many as wait before an answer. */
function withCandidates(held: readonly Parcel[], message: Candidates, at: number): Parcel[] {
  const stream = held.flatMap((parcel) => (isOfSameDevice(parcel.message, message) ? [parcel.message] : []));
  const generation = stream.slice(1 + stream.findLastIndex(({ type }) => type === "call_negotiate"));
  const count = generation.reduce((sum, m) => sum + (m.type === "ice_candidate" ? m.candidates.length : 0), 0);
  const candidates = message.candidates.slice(0, Math.max(0, MAX_CANDIDATES - count));
  const isEmpty = candidates.length === 0 && !message.removed && !message.endOfCandidates;
  return isEmpty ? [...held] : [...held, { message: { ...message, candidates }, at }];
}

/** Each has one connection with the device that is away: a second one is with a device that takes the call over. */
function isOfSameDevice(a: Parcel["message"], b: Parcel["message"]): boolean {
  return a.from.deviceId === b.from.deviceId;
}
