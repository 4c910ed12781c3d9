import type * as z from "zod";
import type { Contact, PresenceResponse, UserResponse } from "../../schema/http.ts";
import { silenceFor, type UserSettings } from "../user/settings.ts";
import { inTime } from "./in-time.ts";

/** All contacts are asked at the same time. Longer keeps a whole list waiting for one. */
const PRESENCE_TIMEOUT_MS = 1_500;

/** Somebody of whom nothing is to be heard is away, as far as anybody can tell; the others are listed all the same. */
export async function contactOf(
  user: z.infer<typeof UserResponse>,
  settings: UserSettings,
  asked: Promise<PresenceResponse>,
): Promise<Contact> {
  const { userId } = user;
  const presence = await inTime(asked, PRESENCE_TIMEOUT_MS);
  return {
    ...user,
    status: presence?.status ?? "offline",
    lastSeen: presence?.lastSeen ?? null,
    added: userId in settings.contacts,
    blocked: userId in settings.blocked,
    mayRing: silenceFor(settings, userId) === "none",
  };
}
