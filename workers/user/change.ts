import { type DeviceEvent, outboxKey, type UserEvent } from "../../schema/ledger.ts";
import type { User } from "./state.ts";

/** How a decision becomes a revision of a user. Pure. */

export function committed(user: User, change: Partial<User>): User {
  return { ...user, ...change, rev: user.rev + 1 };
}

/** The ledger is to know, and keeps being told until it confirms: it has its time from the first event that waits. */
export function posted(user: User, event: UserEvent | DeviceEvent, now: number): User {
  const isFirst = Object.keys(user.outbox).length === 0;
  const outbox = { ...user.outbox, [outboxKey(event)]: event };
  return { ...user, outbox, outboxToldAt: isFirst ? now : user.outboxToldAt };
}

export function without<T>(record: Readonly<Record<string, T>>, key: string): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => name !== key));
}
