import type { PresenceResponse, Settings } from "../../schema/http.ts";
import { MAX_LISTED } from "../../schema/limits.ts";
import { isoTimestamp } from "../../schema/time.ts";
import type { Silence } from "../call/state.ts";
import { without } from "./change.ts";

/** Whom a user lets through: a row of its own, since it changes rarely and can be long. Times are Unix ms. Pure. */

export interface Block {
  readonly at: number;
  /** What the blocked user is shown as the last time that this one was seen. */
  readonly lastSeen: number | null;
}

export interface UserSettings {
  readonly blocked: Readonly<Record<string, Block>>;
  /** Since when. */
  readonly contacts: Readonly<Record<string, number>>;
  readonly ringFrom: Settings["ringFrom"];
  readonly relayOnly: boolean;
}

export const DEFAULT_SETTINGS: UserSettings = { blocked: {}, contacts: {}, ringFrom: "everybody", relayOnly: false };

export type Change =
  | { readonly type: "block"; readonly userId: string; readonly lastSeen?: number | null }
  | { readonly type: "unblock"; readonly userId: string }
  | { readonly type: "add_contact"; readonly userId: string }
  | { readonly type: "remove_contact"; readonly userId: string }
  | { readonly type: "ring_from"; readonly ringFrom: Settings["ringFrom"] }
  | { readonly type: "relay_only"; readonly relayOnly: boolean };

/** @returns the same object when nothing changes; null when a list is full */
export function changed(settings: UserSettings, change: Change, now: number): UserSettings | null {
  const { blocked, contacts } = settings;
  switch (change.type) {
    case "block": {
      const { userId, lastSeen = null } = change;
      if (userId in blocked) return settings;
      return isListFull(blocked) ? null : { ...settings, blocked: { ...blocked, [userId]: { at: now, lastSeen } } };
    }
    case "unblock":
      return change.userId in blocked ? { ...settings, blocked: without(blocked, change.userId) } : settings;
    case "add_contact":
      if (change.userId in contacts) return settings;
      return isListFull(contacts) ? null : { ...settings, contacts: { ...contacts, [change.userId]: now } };
    case "remove_contact":
      return change.userId in contacts ? { ...settings, contacts: without(contacts, change.userId) } : settings;
    case "ring_from":
      return change.ringFrom === settings.ringFrom ? settings : { ...settings, ringFrom: change.ringFrom };
    case "relay_only":
      return relaying(settings, change.relayOnly);
  }
}

function relaying(settings: UserSettings, relayOnly: boolean): UserSettings {
  return relayOnly === settings.relayOnly ? settings : { ...settings, relayOnly };
}

function isListFull(list: object): boolean {
  return Object.keys(list).length >= MAX_LISTED;
}

/** How a call of that user is taken. */
export function silenceFor({ blocked, contacts, ringFrom }: UserSettings, callerId: string): Silence {
  if (callerId in blocked) return "blocked";
  return ringFrom === "contacts" && !(callerId in contacts) ? "silent" : "none";
}

/** To a blocked user this one is as they were when they blocked: away, and not seen since. */
export function presenceFor({ blocked }: UserSettings, viewerId: string, presence: PresenceResponse): PresenceResponse {
  const block = blocked[viewerId];
  if (!block) return presence;
  const lastSeen = block.lastSeen === null ? null : isoTimestamp(block.lastSeen);
  return { userId: presence.userId, status: "offline", lastSeen };
}
