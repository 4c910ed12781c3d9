import { describe, expect, test } from "vitest";
import { MAX_LISTED } from "../../../schema/limits.ts";
import {
  type Change,
  changed,
  DEFAULT_SETTINGS,
  presenceFor,
  silenceFor,
  type UserSettings,
} from "../../../workers/user/settings.ts";
import { ADA, BOB, T0 } from "../call/call-script.ts";

function having(...changes: Change[]): UserSettings {
  return changes.reduce((settings, change) => changed(settings, change, T0) ?? settings, DEFAULT_SETTINGS);
}

describe("whom a user lets through", () => {
  test("[SAFE-1] [SAFE-2] everybody, but the blocked; or only contacts", () => {
    expect(silenceFor(having(), ADA)).toBe("none");
    expect(silenceFor(having({ type: "block", userId: ADA }), ADA)).toBe("blocked");
    expect(silenceFor(having({ type: "block", userId: ADA }, { type: "unblock", userId: ADA }), ADA)).toBe("none");
    const contactsOnly: Change = { type: "ring_from", ringFrom: "contacts" };
    expect(silenceFor(having(contactsOnly), ADA)).toBe("silent");
    expect(silenceFor(having(contactsOnly, { type: "add_contact", userId: ADA }), ADA)).toBe("none");
    const both = having(contactsOnly, { type: "add_contact", userId: ADA }, { type: "block", userId: ADA });
    expect(silenceFor(both, ADA)).toBe("blocked");
  });

  test("what changes nothing is not written", () => {
    const settings = having({ type: "block", userId: ADA, lastSeen: 5 });
    expect(changed(settings, { type: "block", userId: ADA, lastSeen: 9 }, T0 + 1)).toBe(settings);
    expect(changed(settings, { type: "unblock", userId: BOB }, T0)).toBe(settings);
    expect(changed(settings, { type: "ring_from", ringFrom: "everybody" }, T0)).toBe(settings);
    expect(changed(settings, { type: "relay_only", relayOnly: false }, T0)).toBe(settings);
  });

  test("a list has an end", () => {
    const ids = Array.from({ length: MAX_LISTED }, (_, i) => [`user-${i}`, { at: T0, lastSeen: null }] as const);
    const full = { ...DEFAULT_SETTINGS, blocked: Object.fromEntries(ids) };
    expect(changed(full, { type: "block", userId: ADA }, T0)).toBeNull();
  });

  test("[SAFE-1] to a blocked user this one stays away, not seen since the block", () => {
    const settings = having({ type: "block", userId: ADA, lastSeen: T0 - 60_000 });
    const online = { userId: BOB, status: "online" as const, lastSeen: new Date(T0).toISOString() };
    const shown = { userId: BOB, status: "offline", lastSeen: new Date(T0 - 60_000).toISOString() };
    expect(presenceFor(settings, ADA, online)).toEqual(shown);
    expect(presenceFor(settings, BOB, online)).toBe(online);
  });
});
