import type { BlocksResponse, PresenceResponse, Settings } from "../../schema/http.ts";
import { isoTimestamp } from "../../schema/time.ts";
import type { CallView, Silence } from "../call/state.ts";
import { type Change, changed, DEFAULT_SETTINGS, presenceFor, silenceFor, type UserSettings } from "./settings.ts";

/** Whom a user lets through: the row of `settings.ts`, loaded and kept. */
export class Privacy {
  readonly #storage: SyncKvStorage;
  #settings: UserSettings;

  constructor(storage: SyncKvStorage) {
    this.#storage = storage;
    // A row of an earlier version knew fewer of them.
    this.#settings = { ...DEFAULT_SETTINGS, ...storage.get<Partial<UserSettings>>("settings") };
  }

  /** @returns false when the list that it concerns is full */
  change(change: Change, now: number): boolean {
    const settings = changed(this.#settings, change, now);
    if (settings && settings !== this.#settings) {
      this.#settings = settings;
      this.#storage.put("settings", settings);
    }
    return settings !== null;
  }

  /** Of a call that somebody else has them rung for, both count: the ring shows the caller's name. */
  silenceFor({ caller, invitedBy }: Pick<CallView, "caller" | "invitedBy">): Silence {
    return this.isBlocked(caller.userId) ? "blocked" : silenceFor(this.#settings, invitedBy);
  }

  isBlocked(userId: string): boolean {
    return userId in this.#settings.blocked;
  }

  presenceFor(viewerId: string, presence: PresenceResponse): PresenceResponse {
    return presenceFor(this.#settings, viewerId, presence);
  }

  get blocks(): BlocksResponse {
    const entries = Object.entries(this.#settings.blocked);
    return { blocks: entries.map(([userId, { at }]) => ({ userId, blockedAt: isoTimestamp(at) })) };
  }

  get rules(): UserSettings {
    return this.#settings;
  }

  get settings(): Settings {
    const { ringFrom, relayOnly } = this.#settings;
    return { ringFrom, relayOnly };
  }
}
