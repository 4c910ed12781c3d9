import type { Register } from "../../schema/client-messages.ts";
import type { Refusal } from "../../schema/errors.ts";
import type { DeviceEvent, UserEvent } from "../../schema/ledger.ts";
import { IDEMPOTENCY_MS, MAX_DEVICES, MAX_WATCHERS, PRESENCE_SWEEP_MS, WATCH_MS } from "../../schema/limits.ts";
import type { PushToken } from "../../schema/push-token.ts";
import type { CallView } from "../call/state.ts";
import { abandonDone, abandonTried, initiationLost } from "./abandoned.ts";
import { callChanged } from "./calls.ts";
import { committed, posted, without } from "./change.ts";
import { gone, register, removed, tokenDied, withChange, withPushToken } from "./devices.ts";
import { countInitiation, type InitiationRates } from "./rates.ts";
import type { Initiation, Profile, User } from "./state.ts";

/**
 * The user's state machine: the one authority over the user's devices, presence and initiations.
 * Pure: `step(user, event, now)`. What has a new revision is written before anything follows from it.
 */

export type Event =
  | { readonly type: "profile"; readonly profile: Profile }
  | { readonly type: "register"; readonly device: Register }
  /** The device's last socket has gone; `at` is its last sign of life. */
  | { readonly type: "gone"; readonly deviceId: string; readonly at: number }
  | { readonly type: "removed"; readonly deviceId: string; readonly at: number }
  | { readonly type: "push_token"; readonly deviceId: string; readonly push: PushToken }
  /** The provider does not know that token any more. */
  | { readonly type: "token_died"; readonly deviceId: string; readonly token: string }
  | { readonly type: "do_not_disturb"; readonly deviceId: string; readonly on: boolean }
  | {
      readonly type: "initiate";
      readonly key: string;
      readonly initiation: Omit<Initiation, "at">;
      readonly rates: InitiationRates;
      /** Why it makes no sense; it counts as an attempt all the same. */
      readonly refusal: Refusal | null;
    }
  /** The call's object refused it. */
  | { readonly type: "initiation_failed"; readonly key: string; readonly callId: string }
  /** Nobody knows whether its object has made the call. */
  | { readonly type: "initiation_lost"; readonly key: string; readonly callId: string; readonly deviceId: string }
  | { readonly type: "abandoning"; readonly callId: string }
  | { readonly type: "abandoned"; readonly callId: string }
  | { readonly type: "call_changed"; readonly view: CallView }
  | { readonly type: "call_unknown"; readonly callId: string }
  /** A call of which nobody is to hear: written as one that rings is. */
  | { readonly type: "turned_away" }
  /** What is remembered of the calls is to be written. */
  | { readonly type: "tidied" }
  /** These devices are being pushed to ring; none: they are told that it is over. */
  | { readonly type: "pushed"; readonly callId: string; readonly deviceIds: readonly string[] }
  | { readonly type: "watched"; readonly by: string }
  | { readonly type: "unwatched"; readonly by: string }
  | { readonly type: "swept" }
  | { readonly type: "ledger_told" }
  | { readonly type: "ledger_confirmed"; readonly entries: readonly { readonly key: string; readonly rev: number }[] };

export type Verdict =
  | { readonly kind: "done" }
  /** The same call was asked for before. */
  | { readonly kind: "duplicate"; readonly callId: string }
  | { readonly kind: "refused"; readonly refusal: Refusal };

export interface Step {
  readonly user: User;
  readonly verdict: Verdict;
}

export function newUser(userId: string): User {
  return {
    userId,
    rev: 0,
    profile: null,
    devices: {},
    rates: { user: null, pairs: {} },
    initiations: {},
    calls: {},
    ended: {},
    abandoned: {},
    pushed: {},
    watchers: {},
    lastSeen: null,
    outbox: {},
    outboxToldAt: 0,
    sweptAt: 0,
  };
}

export function step(user: User, event: Event, now: number): Step {
  const { user: next, verdict } = decide(user, event, now);
  // What begins to be swept has a whole interval before it: nothing is stale yet.
  const isNew = isSwept(next) && !isSwept(user);
  return { user: isNew ? { ...next, sweptAt: now } : next, verdict };
}

function decide(user: User, event: Event, now: number): Step {
  switch (event.type) {
    case "profile":
      return done(withProfile(user, event.profile, now));
    case "register": {
      const registered = register(user, event.device, now);
      return registered ? done(registered) : { user, verdict: { kind: "refused", refusal: TOO_MANY_DEVICES } };
    }
    case "gone":
      return done(gone(user, event.deviceId, event.at, now));
    case "removed":
      return done(removed(user, event.deviceId, event.at, now));
    case "push_token":
      return done(withPushToken(user, event.deviceId, event.push, now));
    case "token_died":
      return done(tokenDied(user, event.deviceId, event.token, now));
    case "do_not_disturb":
      return done(withChange(user, event.deviceId, { doNotDisturb: event.on }, now));
    case "initiate":
      return initiate(user, event, now);
    case "initiation_failed":
      return done(initiationFailed(user, event.key, event.callId));
    case "initiation_lost":
      return done(initiationLost(user, event.key, event.callId, event.deviceId, now));
    case "abandoning":
      return done(abandonTried(user, event.callId, now));
    case "abandoned":
      return done(abandonDone(user, event.callId));
    case "call_changed":
      return done(callChanged(user, event.view, now));
    case "call_unknown":
      return done({ ...user, calls: without(user.calls, event.callId) });
    case "turned_away":
    case "tidied":
      return done(committed(user, {}));
    case "pushed":
      return done(pushed(user, event.callId, event.deviceIds));
    case "watched":
      return done(watched(user, event.by, now));
    case "unwatched":
      return done(event.by in user.watchers ? committed(user, { watchers: without(user.watchers, event.by) }) : user);
    case "swept":
      return done({ ...user, sweptAt: now });
    case "ledger_told":
      return done({ ...user, outboxToldAt: now });
    case "ledger_confirmed":
      return done(confirmed(user, event.entries));
  }
}

/** When the machine next wants to be woken, in Unix ms; null if never. */
export function nextDeadline(user: User, ledgerRetryMs: number): number | null {
  const deadlines = Object.values(user.abandoned).map(({ at }) => at);
  if (Object.keys(user.outbox).length > 0) deadlines.push(user.outboxToldAt + ledgerRetryMs);
  if (isSwept(user)) deadlines.push(user.sweptAt + PRESENCE_SWEEP_MS);
  return deadlines.length === 0 ? null : Math.min(...deadlines);
}

/** Somebody is to hear when the last device falls silent. */
function isSwept(user: User): boolean {
  return isOnline(user) && Object.keys(user.watchers).length > 0;
}

export function isCommit(before: User, after: User): boolean {
  return before.rev !== after.rev;
}

export function isOnline(user: User): boolean {
  return Object.values(user.devices).some((device) => device.connectedAt !== null);
}

/** Somebody of whom the app has told, or who has been here. */
export function isKnown(user: User): boolean {
  return user.profile !== null || Object.keys(user.devices).length > 0;
}

/** Watchers who have not been asked for long whether they still care. */
export function staleWatchers(user: User, now: number): string[] {
  return Object.entries(user.watchers).flatMap(([watcher, until]) => (until <= now ? [watcher] : []));
}

export function isOutboxOverdue(user: User, now: number, ledgerRetryMs: number): boolean {
  return Object.keys(user.outbox).length > 0 && now >= user.outboxToldAt + ledgerRetryMs;
}

const TOO_MANY_DEVICES: Refusal = {
  code: "forbidden",
  message: `a user has at most ${MAX_DEVICES} connected devices`,
};

function done(user: User): Step {
  return { user, verdict: { kind: "done" } };
}

function initiate(user: User, event: Extract<Event, { type: "initiate" }>, now: number): Step {
  const { key, rates, refusal } = event;
  const initiation: Initiation = { ...event.initiation, at: now };
  const known = user.initiations[key];
  if (known && now - known.at < IDEMPOTENCY_MS) {
    return isSameCall(known, initiation)
      ? { user, verdict: { kind: "duplicate", callId: known.callId } }
      : refuse(user, REUSED_KEY);
  }
  const counted = countInitiation(user.rates, initiation.calleeIds, rates, now);
  const after = { ...user, rates: counted.buckets };
  if (counted.retryAfterMs > 0) return refuse(after, { ...TOO_OFTEN, retryAfterMs: counted.retryAfterMs });
  if (refusal) return refuse(after, refusal);
  const fresh = Object.entries(user.initiations).filter(([, { at }]) => now - at < IDEMPOTENCY_MS);
  return done(
    committed(after, {
      initiations: { ...Object.fromEntries(fresh), [key]: initiation },
      calls: { ...user.calls, [initiation.callId]: null },
    }),
  );
}

function refuse(user: User, refusal: Refusal): Step {
  return { user, verdict: { kind: "refused", refusal } };
}

const TOO_OFTEN: Refusal = { code: "rate_limited", message: "too many calls were started: wait a little" };

const REUSED_KEY: Refusal = {
  code: "bad_message",
  message: "idempotencyKey: used for another call within the last 5 minutes",
};

function isSameCall(a: Initiation, b: Initiation): boolean {
  return a.callType === b.callType && a.calleeIds.join() === b.calleeIds.join();
}

function initiationFailed(user: User, key: string, callId: string): User {
  if (user.initiations[key]?.callId !== callId) return user;
  return committed(user, { initiations: without(user.initiations, key), calls: without(user.calls, callId) });
}

function pushed(user: User, callId: string, deviceIds: readonly string[]): User {
  if (deviceIds.length > 0) return committed(user, { pushed: { ...user.pushed, [callId]: deviceIds } });
  return callId in user.pushed ? committed(user, { pushed: without(user.pushed, callId) }) : user;
}

function watched(user: User, by: string, now: number): User {
  const until = user.watchers[by] ?? 0;
  if (until > now + WATCH_MS / 2) return user;
  if (until === 0 && Object.keys(user.watchers).length >= MAX_WATCHERS) return user;
  return committed(user, { watchers: { ...user.watchers, [by]: now + WATCH_MS } });
}

function confirmed(user: User, entries: Extract<Event, { type: "ledger_confirmed" }>["entries"]): User {
  const isDone = ([key, event]: [string, UserEvent | DeviceEvent]) =>
    entries.some((entry) => entry.key === key && entry.rev >= event.rev);
  const left = Object.entries(user.outbox).filter((entry) => !isDone(entry));
  if (left.length === Object.keys(user.outbox).length) return user;
  const outbox = Object.fromEntries(left);
  return left.length === 0 ? committed(user, { outbox }) : { ...user, outbox };
}

function withProfile(user: User, profile: Profile, now: number): User {
  if (user.profile?.name === profile.name && user.profile.avatarUrl === profile.avatarUrl) return user;
  const rev = user.rev + 1;
  return posted(committed(user, { profile }), { kind: "user", userId: user.userId, rev, ...profile }, now);
}
