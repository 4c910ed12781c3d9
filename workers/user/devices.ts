import type { Register } from "../../schema/client-messages.ts";
import type { DeviceEvent } from "../../schema/ledger.ts";
import { MAX_DEVICES } from "../../schema/limits.ts";
import { isoTimestamp } from "../../schema/time.ts";
import { committed, posted, without } from "./change.ts";
import type { Device, User } from "./state.ts";

/** A user's devices: they come, change and go. Pure. */

/** @returns null when the user has too many connected devices */
export function register(user: User, asked: Register, now: number): User | null {
  const known = user.devices[asked.deviceId];
  const devices = known ? user.devices : withRoom(user.devices);
  if (!devices) return null;
  const device: Device = {
    deviceType: asked.deviceType,
    deviceName: asked.deviceName ?? known?.deviceName ?? null,
    push: asked.push ?? known?.push ?? null,
    connectedAt: known?.connectedAt ?? now,
    lastSeen: known?.lastSeen ?? null,
    doNotDisturb: known?.doNotDisturb ?? false,
  };
  if (known && isSameDevice(known, device)) return user;
  return withDevice({ ...user, devices }, asked.deviceId, device);
}

/** Makes room for one more by forgetting the device that was away longest. */
function withRoom(devices: User["devices"]): User["devices"] | null {
  if (Object.keys(devices).length < MAX_DEVICES) return devices;
  const away = Object.entries(devices).filter(([, device]) => device.connectedAt === null);
  const oldest = away.sort(([, a], [, b]) => (a.lastSeen ?? 0) - (b.lastSeen ?? 0))[0];
  return oldest ? without(devices, oldest[0]) : null;
}

export function withChange(user: User, deviceId: string, change: Partial<Device>): User {
  const device = user.devices[deviceId];
  if (!device) return user;
  const changed = { ...device, ...change };
  return isSameDevice(device, changed) ? user : withDevice(user, deviceId, changed);
}

/** A newer token of the device may have come meanwhile. */
export function tokenDied(user: User, deviceId: string, token: string): User {
  return user.devices[deviceId]?.push?.token === token ? withChange(user, deviceId, { push: null }) : user;
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

export function gone(user: User, deviceId: string, at: number): User {
  const device = user.devices[deviceId];
  if (!device || device.connectedAt === null) return user;
  const lastSeen = Math.max(user.lastSeen ?? 0, at);
  return withDevice({ ...user, lastSeen }, deviceId, { ...device, connectedAt: null, lastSeen: at });
}

export function removed(user: User, deviceId: string): User {
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
