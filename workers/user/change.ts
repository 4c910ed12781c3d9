import { type DeviceEvent, outboxKey, type UserEvent } from "../../schema/ledger.ts";
import type { User } from "./state.ts";

/** How a decision becomes a revision of a user. Pure. */

export function committed(user: User, change: Partial<User>): User {
  return { ...user, ...change, rev: user.rev + 1 };
}

/** The ledger is to know, and keeps being told until it confirms. */
export function posted(user: User, event: UserEvent | DeviceEvent): User {
  return { ...user, outbox: { ...user.outbox, [outboxKey(event)]: event } };
}

export function without<T>(record: Readonly<Record<string, T>>, key: string): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => name !== key));
}
