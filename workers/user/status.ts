import type { DevicesResponse, PresenceResponse } from "../../schema/http.ts";
import { isoTimestamp } from "../../schema/time.ts";
import type { User } from "./state.ts";
import { isOnline } from "./user.ts";

/** What is shown of a user: presence to those who ask, devices to the user alone. Pure. */

export function presenceOf(user: User, now: number): PresenceResponse {
  const online = isOnline(user);
  const seen = online ? now : user.lastSeen;
  return { userId: user.userId, status: online ? "online" : "offline", lastSeen: timestamp(seen) };
}

export function devicesOf(user: User): DevicesResponse {
  const devices = Object.entries(user.devices).map(([deviceId, device]) => ({
    deviceId,
    deviceType: device.deviceType,
    deviceName: device.deviceName,
    connected: device.connectedAt !== null,
    doNotDisturb: device.doNotDisturb,
    push: device.push?.provider ?? null,
    lastSeen: timestamp(device.lastSeen),
  }));
  return { devices };
}

function timestamp(ms: number | null): string | null {
  return ms === null ? null : isoTimestamp(ms);
}
