import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { PresenceResponse } from "../../../schema/http.ts";
import { contactOf } from "../../../workers/http/contact.ts";
import { DEFAULT_SETTINGS, type UserSettings } from "../../../workers/user/settings.ts";

const BOB = { userId: "bob", name: "Bob", avatarUrl: null };
const ONLINE: PresenceResponse = { userId: "bob", status: "online", lastSeen: "2026-01-01T12:00:00.000Z" };

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("[CONT-2] a contact of whom nothing is to be heard", () => {
  test.each([
    ["fails", async () => Promise.reject(new Error("the object does not answer"))],
    ["never ends", () => new Promise<never>(() => {})],
  ])("is offline, and the list comes: the look-up %s", async (_how, asked) => {
    const contacts = Promise.all([
      contactOf(BOB, DEFAULT_SETTINGS, asked()),
      contactOf({ ...BOB, userId: "eve" }, DEFAULT_SETTINGS, Promise.resolve({ ...ONLINE, userId: "eve" })),
    ]);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await contacts).toMatchObject([
      { userId: "bob", name: "Bob", status: "offline", lastSeen: null },
      { userId: "eve", status: "online" },
    ]);
  });
});

describe("[CONT-3] a contact says", () => {
  const added: UserSettings = { ...DEFAULT_SETTINGS, contacts: { bob: 1 } };
  const blocked: UserSettings = { ...DEFAULT_SETTINGS, blocked: { bob: { at: 1, lastSeen: null } } };

  test.each<[string, UserSettings, { added: boolean; blocked: boolean; mayRing: boolean }]>([
    ["that anybody may ring", DEFAULT_SETTINGS, { added: false, blocked: false, mayRing: true }],
    ["that they were added", added, { added: true, blocked: false, mayRing: true }],
    [
      "that only others may ring",
      { ...DEFAULT_SETTINGS, ringFrom: "contacts" },
      { added: false, blocked: false, mayRing: false },
    ],
    [
      "that they are among those who may",
      { ...added, ringFrom: "contacts" },
      { added: true, blocked: false, mayRing: true },
    ],
    ["that they are blocked", blocked, { added: false, blocked: true, mayRing: false }],
    [
      "that being added helps nobody who is blocked",
      { ...blocked, contacts: { bob: 1 } },
      { added: true, blocked: true, mayRing: false },
    ],
  ])("%s", async (_what, settings, flags) => {
    expect(await contactOf(BOB, settings, Promise.resolve(ONLINE))).toEqual({ ...BOB, ...ONLINE, ...flags });
  });
});
