import type { Register } from "../../schema/client-messages.ts";
import type { DeviceEvent } from "../../schema/ledger.ts";
import { MAX_DEVICES } from "../../schema/limits.ts";
import type { PushToken } from "../../schema/push-token.ts";
import { isoTimestamp } from "../../schema/time.ts";
import { committed, posted, without } from "./change.ts";
import type { Device, User } from "./state.ts";

/** A user's devices: they come, change and go. Pure. */

/** @returns null when the user has too many connected devices */
export function register(user: User, asked: Register, now: number): User | null {
  const known = user.devices[asked.deviceId];
  const roomy = known ? user : withRoom(user, now);
  if (!roomy) return null;
  const device: Device = {
    deviceType: asked.deviceType,
    deviceName: asked.deviceName ?? known?.deviceName ?? null,
    push: asked.push ?? known?.push ?? null,
    connectedAt: known?.connectedAt ?? now,
    lastSeen: known?.lastSeen ?? null,
    doNotDisturb: known?.doNotDisturb ?? false,
    isDead: false,
  };
  if (known && isSameDevice(known, device)) return user;
  return withDevice(roomy, asked.deviceId, device, now);
}

/** Makes room for one more by removing the device that was away longest. */
function withRoom(user: User, now: number): User | null {
  if (Object.keys(user.devices).length < MAX_DEVICES) return user;
  const away = Object.entries(user.devices).filter(([, device]) => device.connectedAt === null);
  const oldest = away.sort(([, a], [, b]) => (a.lastSeen ?? 0) - (b.lastSeen ?? 0))[0];
  return oldest ? removed(user, oldest[0], 0, now) : null;
}

export function withPushToken(user: User, deviceId: string, push: PushToken, now: number): User {
  return withChange(user, deviceId, { push, isDead: false }, now);
}

/** A newer token of the device may have come meanwhile. One without a socket is then likely to have lost its app. */
export function tokenDied(user: User, deviceId: string, token: string, now: number): User {
  const device = user.devices[deviceId];
  if (device?.push?.token !== token) return user;
  return withChange(user, deviceId, { push: null, isDead: device.connectedAt === null }, now);
}

export function withChange(user: User, deviceId: string, change: Partial<Device>, now: number): User {
  const device = user.devices[deviceId];
  if (!device) return user;
  const changed = { ...device, ...change };
  return isSameDevice(device, changed) ? user : withDevice(user, deviceId, changed, now);
}

function isSameDevice(a: Device, b: Device): boolean {
  return (
    a.deviceType === b.deviceType &&
    a.deviceName === b.deviceName &&
    a.connectedAt === b.connectedAt &&
    a.doNotDisturb === b.doNotDisturb &&
    a.push?.provider === b.push?.provider &&
    a.push?.token === b.push?.token
  );
}

/** @param at its last sign of life */
export function gone(user: User, deviceId: string, at: number, now: number): User {
  const device = user.devices[deviceId];
  if (!device || device.connectedAt === null) return user;
  return withDevice(seen(user, at), deviceId, { ...device, connectedAt: null, lastSeen: at }, now);
}

/** @param at its last sign of life, if it is connected */
export function removed(user: User, deviceId: string, at: number, now: number): User {
  const device = user.devices[deviceId];
  if (!device) return user;
  const lastSeen = device.connectedAt === null ? device.lastSeen : Math.max(device.connectedAt, at);
  const away = { ...device, connectedAt: null, lastSeen, push: null, isDead: true };
  const told = withDevice(lastSeen === null ? user : seen(user, lastSeen), deviceId, away, now);
  return { ...told, devices: without(told.devices, deviceId) };
}

function seen(user: User, at: number): User {
  return { ...user, lastSeen: Math.max(user.lastSeen ?? 0, at) };
}

function withDevice(user: User, deviceId: string, device: Device, now: number): User {
  const event: DeviceEvent = {
    kind: "device",
    userId: user.userId,
    deviceId,
    rev: user.rev + 1,
    deviceType: device.deviceType,
    pushToken: device.push?.token ?? null,
    isActive: !device.isDead,
    connectedAt: device.connectedAt === null ? null : isoTimestamp(device.connectedAt),
    lastSeen: device.lastSeen === null ? null : isoTimestamp(device.lastSeen),
  };
  return posted(committed(user, { devices: { ...user.devices, [deviceId]: device } }), event, now);
}
