import { describe, expect, it } from "vitest";
import { isAllowedEndpoint } from "../../../workers/push/endpoint.ts";

const allowed = (url: string, loopback = false) => isAllowedEndpoint(new URL(url), loopback);

describe("[PUSH-6] an endpoint that a user has named", () => {
  it.each([
    "https://fcm.googleapis.com/fcm/send/abc",
    "https://updates.push.services.mozilla.com/wpush/v2/abc",
    "https://web.push.apple.com/abc",
    "https://push.example.org:8443/abc",
  ])("is asked: %s", (url) => {
    expect(allowed(url)).toBe(true);
  });

  it.each([
    "http://fcm.googleapis.com/fcm/send/abc",
    "ftp://push.example.org/abc",
    "https://user:password@push.example.org/abc",
    "https://127.0.0.1/abc",
    "https://localhost/abc",
    "https://10.0.0.1/abc",
    "https://0x7f000001/abc",
    "https://2130706433/abc",
    "https://[::1]/abc",
    "https://[fd00::1]/abc",
    "https://intranet/abc",
    "https://database.internal/abc",
    "https://printer.local/abc",
    "https://a.localhost/abc",
  ])("is not asked: %s", (url) => {
    expect(allowed(url)).toBe(false);
  });

  it("may be on this machine where that is turned on, and nowhere else without TLS", () => {
    expect(
      ["http://127.0.0.1:9/a", "https://localhost/a", "http://[::1]:9/a"].map((url) => allowed(url, true)),
    ).toEqual([true, true, true]);
    expect(["http://10.0.0.1/a", "http://push.example.org/a"].map((url) => allowed(url, true))).toEqual([false, false]);
  });
});
