import type { Register } from "../../schema/client-messages.ts";
import type { Refusal } from "../../schema/errors.ts";
import { type DeviceEvent, outboxKey, type UserEvent } from "../../schema/ledger.ts";
import { IDEMPOTENCY_MS, MAX_DEVICES, MAX_WATCHERS, PRESENCE_SWEEP_MS, WATCH_MS } from "../../schema/limits.ts";
import { isoTimestamp } from "../../schema/time.ts";
import type { CallView } from "../call/state.ts";
import type { Device, Initiation, Profile, User } from "./state.ts";

/**
 * The user's state machine: the one authority over the user's devices, presence and initiations.
 * Pure: `step(user, event, now)`. What has a new revision is written before anything follows from it.
 */

export type Event =
  | { readonly type: "profile"; readonly profile: Profile }
  | { readonly type: "register"; readonly device: Register }
  /** The device's last socket has gone; `at` is its last sign of life. */
  | { readonly type: "gone"; readonly deviceId: string; readonly at: number }
  | { readonly type: "removed"; readonly deviceId: string }
  | { readonly type: "initiate"; readonly key: string; readonly initiation: Omit<Initiation, "at"> }
  | { readonly type: "initiation_failed"; readonly key: string; readonly callId: string }
  | { readonly type: "call_changed"; readonly view: CallView }
  | { readonly type: "call_unknown"; readonly callId: string }
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
    initiations: {},
    calls: {},
    watchers: {},
    lastSeen: null,
    outbox: {},
    outboxToldAt: 0,
    sweptAt: 0,
  };
}

export function step(user: User, event: Event, now: number): Step {
  switch (event.type) {
    case "profile":
      return done(withProfile(user, event.profile));
    case "register":
      return register(user, event.device, now);
    case "gone":
      return done(gone(user, event.deviceId, event.at));
    case "removed":
      return done(removed(user, event.deviceId));
    case "initiate":
      return initiate(user, event.key, { ...event.initiation, at: now });
    case "initiation_failed":
      return done(initiationFailed(user, event.key, event.callId));
    case "call_changed":
      return done(callChanged(user, event.view));
    case "call_unknown":
      return done({ ...user, calls: without(user.calls, event.callId) });
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
  const deadlines: number[] = [];
  if (Object.keys(user.outbox).length > 0) deadlines.push(user.outboxToldAt + ledgerRetryMs);
  if (isOnline(user) && Object.keys(user.watchers).length > 0) deadlines.push(user.sweptAt + PRESENCE_SWEEP_MS);
  return deadlines.length === 0 ? null : Math.min(...deadlines);
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

function done(user: User): Step {
  return { user, verdict: { kind: "done" } };
}

function committed(user: User, change: Partial<User>): User {
  return { ...user, ...change, rev: user.rev + 1 };
}

function withProfile(user: User, profile: Profile): User {
  if (user.profile?.name === profile.name && user.profile.avatarUrl === profile.avatarUrl) return user;
  const rev = user.rev + 1;
  return posted(committed(user, { profile }), { kind: "user", userId: user.userId, rev, ...profile });
}

function register(user: User, asked: Register, now: number): Step {
  const known = user.devices[asked.deviceId];
  const devices = known ? user.devices : withRoom(user.devices);
  if (!devices) {
    const message = `a user has at most ${MAX_DEVICES} connected devices`;
    return { user, verdict: { kind: "refused", refusal: { code: "forbidden", message } } };
  }
  const device: Device = {
    deviceType: asked.deviceType,
    deviceName: asked.deviceName ?? known?.deviceName ?? null,
    push: asked.push ?? known?.push ?? null,
    connectedAt: known?.connectedAt ?? now,
    lastSeen: known?.lastSeen ?? null,
  };
  if (known && isSameDevice(known, device)) return done(user);
  return done(withDevice({ ...user, devices }, asked.deviceId, device));
}

/** Makes room for one more by forgetting the device that was away longest. */
function withRoom(devices: User["devices"]): User["devices"] | null {
  if (Object.keys(devices).length < MAX_DEVICES) return devices;
  const away = Object.entries(devices).filter(([, device]) => device.connectedAt === null);
  const oldest = away.sort(([, a], [, b]) => (a.lastSeen ?? 0) - (b.lastSeen ?? 0))[0];
  return oldest ? without(devices, oldest[0]) : null;
}

function isSameDevice(a: Device, b: Device): boolean {
  return (
    a.deviceType === b.deviceType &&
    a.deviceName === b.deviceName &&
    a.connectedAt === b.connectedAt &&
    a.push?.provider === b.push?.provider &&
    a.push?.token === b.push?.token
  );
}

function gone(user: User, deviceId: string, at: number): User {
  const device = user.devices[deviceId];
  if (!device || device.connectedAt === null) return user;
  const lastSeen = Math.max(user.lastSeen ?? 0, at);
  return withDevice({ ...user, lastSeen }, deviceId, { ...device, connectedAt: null, lastSeen: at });
}

function removed(user: User, deviceId: string): User {
  const device = user.devices[deviceId];
  if (!device) return user;
  const away = { ...device, connectedAt: null, push: null };
  const told = withDevice(user, deviceId, away, false);
  return { ...told, devices: without(told.devices, deviceId) };
}

function withDevice(user: User, deviceId: string, device: Device, isActive = true): User {
  const event: DeviceEvent = {
    kind: "device",
    userId: user.userId,
    deviceId,
    rev: user.rev + 1,
    deviceType: device.deviceType,
    pushToken: device.push?.token ?? null,
    isActive,
    connectedAt: device.connectedAt === null ? null : isoTimestamp(device.connectedAt),
    lastSeen: device.lastSeen === null ? null : isoTimestamp(device.lastSeen),
  };
  return posted(committed(user, { devices: { ...user.devices, [deviceId]: device } }), event);
}

function posted(user: User, event: UserEvent | DeviceEvent): User {
  return { ...user, outbox: { ...user.outbox, [outboxKey(event)]: event } };
}

function initiate(user: User, key: string, initiation: Initiation): Step {
  const known = user.initiations[key];
  if (known && initiation.at - known.at < IDEMPOTENCY_MS) {
    return isSameCall(known, initiation)
      ? { user, verdict: { kind: "duplicate", callId: known.callId } }
      : { user, verdict: { kind: "refused", refusal: REUSED_KEY } };
  }
  const fresh = Object.entries(user.initiations).filter(([, { at }]) => initiation.at - at < IDEMPOTENCY_MS);
  return done(
    committed(user, {
      initiations: { ...Object.fromEntries(fresh), [key]: initiation },
      calls: { ...user.calls, [initiation.callId]: null },
    }),
  );
}

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

/** Being rung is written, for a device that comes late must learn of it; the rest is remembered. */
function callChanged(user: User, view: CallView): User {
  const known = user.calls[view.callId];
  if (known && known.rev > view.rev) return user;
  if (view.state === "ended") return { ...user, calls: without(user.calls, view.callId) };
  const calls = { ...user.calls, [view.callId]: view };
  return known === undefined ? committed(user, { calls }) : { ...user, calls };
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

function without<T>(record: Readonly<Record<string, T>>, key: string): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => name !== key));
}
