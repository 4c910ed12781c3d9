/** What a user calls a device by, where they have several. Pure. */

/** The order matters: browsers name those that they descend from as well. */
const BROWSERS = [
  [/Edg(A|iOS)?\//, "Edge"],
  [/OPR\//, "Opera"],
  [/(Firefox|FxiOS)\//, "Firefox"],
  [/(Chrome|Chromium|CriOS)\//, "Chrome"],
  [/Safari\//, "Safari"],
] as const;

const SYSTEMS = [
  [/iPhone/, "iPhone"],
  [/iPad/, "iPad"],
  [/Android/, "Android"],
  [/Mac OS X/, "Mac"],
  [/Windows/, "Windows"],
  [/CrOS/, "Chromebook"],
  [/Linux/, "Linux"],
] as const;

/** @param userAgent as `navigator` has it */
export function browserName(userAgent: string): string {
  const browser = named(BROWSERS, userAgent) ?? "Browser";
  const system = named(SYSTEMS, userAgent);
  return system === undefined ? browser : `${browser} on ${system}`;
}

function named(names: readonly (readonly [RegExp, string])[], userAgent: string): string | undefined {
  return names.find(([pattern]) => pattern.test(userAgent))?.[1];
}

interface Device {
  readonly deviceId: string;
  readonly deviceName: string | null;
  readonly deviceType: string;
  readonly connected: boolean;
}

export interface Target {
  readonly deviceId: string;
  readonly name: string;
}

/** The devices that a call can be moved to: the user's others that can be asked. Of the same name the second is "(2)". */
export function moveTargets(devices: readonly Device[], ownDeviceId: string): Target[] {
  const others = devices.filter(({ deviceId, connected }) => connected && deviceId !== ownDeviceId);
  const count = new Map<string, number>();
  return others.map(({ deviceId, deviceName, deviceType }) => {
    const name = deviceName || deviceType;
    const nth = (count.get(name) ?? 0) + 1;
    count.set(name, nth);
    return { deviceId, name: nth === 1 ? name : `${name} (${nth})` };
  });
}
