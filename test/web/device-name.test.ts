import { expect, test } from "vitest";
import { browserName, moveTargets } from "../../web/device-name.ts";

const WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)";

test.each([
  [`Mozilla/5.0 (X11; Linux x86_64) ${WEBKIT} Chrome/156.0.0.0 Safari/537.36`, "Chrome on Linux"],
  [
    `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${WEBKIT} Chrome/156.0.0.0 Safari/537.36 Edg/156.0.0.0`,
    "Edge on Windows",
  ],
  ["Mozilla/5.0 (Macintosh; Intel Mac OS X 14.7; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Mac"],
  [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Mobile/15E148 Safari/604.1",
    "Safari on iPhone",
  ],
  [`Mozilla/5.0 (Linux; Android 16; K) ${WEBKIT} Chrome/156.0.0.0 Mobile Safari/537.36`, "Chrome on Android"],
  ["something else", "Browser"],
])("%s is %s", (userAgent, name) => {
  expect(browserName(userAgent)).toBe(name);
});

test("[HAND-7] a call can be moved to the user's other devices that are connected, and namesakes are told apart", () => {
  const device = (deviceId: string, deviceName: string | null, connected = true) => {
    return { deviceId, deviceName, deviceType: "iPhone", connected };
  };
  const devices = [
    device("own", "Chrome on Linux"),
    device("a", "Chrome on Linux"),
    device("asleep", "Chrome on Linux", false),
    device("b", "Chrome on Linux"),
    device("c", null),
  ];
  expect(moveTargets(devices, "own")).toEqual([
    { deviceId: "a", name: "Chrome on Linux" },
    { deviceId: "b", name: "Chrome on Linux (2)" },
    { deviceId: "c", name: "iPhone" },
  ]);
});
